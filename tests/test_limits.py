"""What a campaign may be set to is the same by whatever way, and no log is refused for what it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cutpoint import Campaign
from cutpoint.data.pools.bring import Wish
from cutpoint.errors import UsageError
from cutpoint.service.gather import check_beginning
from cutpoint.service.log.names import check_new_classes
from cutpoint.service.log.settings import Settings
from cutpoint.store.memory import MemoryStore
from desks import a_desk

BEYOND = [
    ({"overlap": 1000}, "overlap is 1000; it must be from 1 to 100"),
    ({"lease_seconds": 1e300}, "lease_seconds is 1e[+]300; it must be from 0.001 to 2,592,000"),
    ({"lease_seconds": 1e-9}, "lease_seconds is 1e-09; it must be from 0.001"),
    ({"budget": 10**9}, "budget is 1000000000; it must be from 1 to 1,000,000"),
    ({"parallel": 10**6}, "parallel is 1000000; it must be from 1 to 10,000"),
]


@pytest.mark.parametrize(("setting", "said"), BEYOND)
def test_what_is_beyond_the_limits_is_refused_by_every_way(setting: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        check_beginning(Settings("birds", ("a", "b"), **setting), Wish(images=tmp_path))
    with pytest.raises(UsageError, match=said):
        Campaign(MemoryStore(), ["a", "b"], train="off", **setting)
    with pytest.raises(UsageError, match=said):
        a_desk().change(**setting)


def test_a_log_with_more_is_open_to_other_changes() -> None:
    pytest.importorskip("fastapi", reason="the extra serve is not installed")
    from served import key, serve_in_memory

    served = serve_in_memory(30, overlap=1000, lease_seconds=1.5)
    chief = served.client("chief")
    page = chief.get("/admin").text
    assert 'max="1000" value="1000"' in page
    assert 'min="0" step="any" value="1.5"' in page
    told = {"overlap": 1000, "lease_seconds": 1.5, "budget": 9}
    assert chief.post("/api/settings", json=told | {"key": key()}).json() == {"note": "Changed."}
    refused = chief.post("/api/settings", json={"overlap": 101, "key": key(1)})
    assert refused.status_code == 400
    assert "overlap is 101; it must be from 1 to 100" in refused.json()["error"]


@pytest.mark.parametrize(
    ("name", "other"),
    [("star", "st\u0430r"), ("cop", "\u0441\u043e\u0440"), ("OX", "\u039f\u03a7"), ("star", "\uff53tar")],
)
def test_classes_that_look_the_same_are_refused(name: str, other: str) -> None:
    with pytest.raises(UsageError, match="looks the same"):
        check_new_classes([name, other])
    with pytest.raises(UsageError, match="looks the same"):
        check_new_classes([name], [other])


def test_classes_of_one_alphabet_are_names_whatever_it_is() -> None:
    check_new_classes(["Star", "star", "звезда", "сор", "сора", "αστέρι", "другое", "ё", "е", "ώρα", "ωρα"])  # noqa: RUF001
