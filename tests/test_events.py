"""Events: what may be one, and that its data comes back as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutpoint.errors import UsageError
from cutpoint.store.events import KINDS, OPTIONAL, TEXTS, New, check, decode, encode, from_bytes, to_bytes

PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
any_text = st.text(st.characters(), max_size=20)  # lone surrogates, which a file name may have, among it
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)


def a(kind: str) -> New:
    """An event of a kind whose fields are all None or empty: texts and, of many labels, the labels."""
    data = {name: "" if name in TEXTS else None for name in KINDS[kind] or OPTIONAL[kind][:1]}
    return New(kind, data | ({"items": [], "labels": []} if kind == "labels_imported" else {}))


@given(st.dictionaries(any_text, values, max_size=4))
def test_data_comes_back_as_it_was(data: dict[str, Any]) -> None:
    if any(PAIR.search(text) for text in _texts(data)):  # JSON cannot tell it from the character that it makes
        with pytest.raises(UsageError, match="surrogate pair"):
            encode(data)
        return
    text = encode(data)
    assert text.isascii()
    assert "\0" not in text
    assert repr(decode(text)) == repr(data)  # 1 is not 1.0, and 0.0 not -0.0


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *_texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "a\0b",
        "שלום \u202eabc",
        "🦩" * 3,
        "\udc80 a broken file name",
        "=cmd()",
        "x\r\n\u2028",
        "字" * 350_000,
    ],
    ids=["empty", "NUL", "NUL within", "right to left", "astral", "surrogate", "formula", "ends of line", "1 MB"],
)
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert decode(encode({"text": text}))["text"] == text
    assert from_bytes(to_bytes(text)) == text


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), np.int64(3), {1: 2}, [{"a": {None: 1}}], b"bytes", {1, 2}, "\ud83e\udda9"],
    ids=repr,
)
def test_what_json_would_change_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="the data of answered cannot be stored as JSON"):
        encode({"label": value}, "the data of answered")


def test_data_that_holds_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(UsageError, match="cannot be stored as JSON"):
        encode({"ring": ring})


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_its_fields_and_no_others(kind: str) -> None:
    event = a(kind)
    check(event)
    for field in KINDS[kind]:
        with pytest.raises(UsageError, match=f"{kind} lacks {field}"):
            check(New(kind, {name: value for name, value in event.data.items() if name != field}))
    with pytest.raises(UsageError, match=f"{kind} has colour"):
        check(New(kind, {**event.data, "colour": 3}))


def test_a_change_of_settings_changes_one_of_them() -> None:
    check(New("settings_changed", {"overlap": 2, "budget": None}))
    with pytest.raises(UsageError, match="settings_changed has no field; its fields must be any of budget"):
        check(New("settings_changed", {}))


def test_an_unknown_kind_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'answered'"):
        check(New("answerd", {}))


@pytest.mark.parametrize(("key", "said"), [("", "has 0 bytes"), ("é" * 1001, "has 2002 bytes"), (7, "is 7")])
def test_a_key_can_be_stored(key: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check(New("taken_back", {"item": 1, "annotator": "one"}, key))
    check(New("taken_back", {"item": 1, "annotator": "one"}, "k" * 2000))


def test_a_long_import_is_several_events() -> None:
    check(New("labels_imported", {"items": [0] * 10_000, "labels": [1] * 10_000, "source": "a.csv"}))
    with pytest.raises(UsageError, match=r"10,001 items and 10,001 labels.*split"):
        check(New("labels_imported", {"items": [0] * 10_001, "labels": [1] * 10_001, "source": "a.csv"}))
    with pytest.raises(UsageError, match="2 items and 1 label;"):
        check(New("labels_imported", {"items": [0, 1], "labels": [1], "source": "a.csv"}))


def test_the_table_of_the_docs_has_every_kind_and_its_fields() -> None:
    text = (Path(__file__).parent.parent / "docs" / "store.md").read_text()
    events = text.split("## The events")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", events, re.MULTILINE))
    must = {kind: [", ".join(fields)] if fields else [] for kind, fields in KINDS.items()}
    may = {kind: [f"{'perhaps' if KINDS[kind] else 'any of'} {', '.join(fields)}"] for kind, fields in OPTIONAL.items()}
    assert rows == {kind: ", ".join(must[kind] + may.get(kind, [])) for kind in KINDS}
