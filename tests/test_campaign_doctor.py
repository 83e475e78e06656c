"""`cutpoint doctor`: what it finds, and that it repairs only what it is told to and what is safe."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from campaign_command import NAME, command, printed
from cutpoint.service.doctor_sqlite import Finding, examine_file

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")


def test_a_healthy_campaign_is_well_and_left_alone(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (campaign_folder / f"{NAME}.db").read_bytes()
    findings = printed(capsys, "doctor", NAME)
    assert {finding["mark"] for finding in findings} == {"well"}, findings
    parts = [finding["part"] for finding in findings]
    assert parts[:4] == ["database", "tables", "log", "items"]
    assert (campaign_folder / f"{NAME}.db").read_bytes() == before
    text = command(capsys, "doctor", NAME)
    assert "All is well." in text
    assert max(map(len, text.splitlines())) <= 100


def wrong(capsys: pytest.CaptureFixture[str], part: str) -> str:
    """What the doctor says of the part that is wrong."""
    findings = json.loads(command(capsys, "doctor", NAME, "--json", code=1))
    (found,) = [finding for finding in findings if finding["mark"] == "wrong"]
    assert found["part"] == part
    assert found["do"]
    return str(found["said"])


def test_the_doctor_finds_damaged_arrays(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (features,) = (campaign_folder / f"{NAME}.files").glob("features-*")
    data = bytearray(features.read_bytes())
    data[-1] ^= 1
    features.write_bytes(data)
    assert "checksum" in wrong(capsys, "arrays")
    features.unlink()
    assert "features of pool 1" in wrong(capsys, "arrays")


def test_the_doctor_finds_a_damaged_database(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = campaign_folder / f"{NAME}.db"
    data = bytearray(path.read_bytes())
    data[4096 + 8 : 4096 + 200] = bytes(192)
    path.write_bytes(data)
    assert str(path.name) in wrong(capsys, "database")
    left = f"{NAME}.db-wal, {NAME}.db-shm and {NAME}.files"
    assert next(examine_file(path)).do.startswith(f"restore a backup: move it away with {left}, ")
    path.write_bytes(data[:5000])
    wrong(capsys, "database")
    path.write_bytes(b"no")
    wrong(capsys, "database")


def test_the_doctor_finds_a_gap_and_other_tables(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(campaign_folder / f"{NAME}.db")) as connection:
        connection.execute("DELETE FROM events WHERE number = 9")
        connection.commit()
    assert "after event 8" in wrong(capsys, "log")
    with closing(sqlite3.connect(campaign_folder / f"{NAME}.db")) as connection:
        connection.execute("UPDATE cutpoint_version SET version_num = '9999'")
        connection.commit()
    assert "9999" in wrong(capsys, "tables")


def test_the_doctor_repairs_only_when_told_and_only_what_is_safe(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import os

    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    arrays = campaign_folder / f"{NAME}.files"
    left = [campaign_folder / f".{NAME}.db-00.partial.db", arrays / ".probs-00.partial", arrays / "probs-9-00.npy"]
    others = [campaign_folder / ".another.db-00.partial", campaign_folder / ".download.partial", arrays / "young.npy"]
    for path in (*left, *others):
        path.write_bytes(b"half")
    for path in (*left, *others[:2]):
        os.utime(path, (0, 0))
    lease = {"lease": "x1", "item": 100, "annotator": "ann", "until": 1.0, "seconds": 900.0}
    with opened(NAME) as (store, _):
        store.append([New("lease_granted", lease)])
        last = store.last()
    found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME)}
    assert (found["leftovers"]["mark"], found["leases"]["mark"]) == ("note", "note")
    assert found["leftovers"]["said"].startswith("3 files")
    assert all(path.exists() for path in left)
    found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME, "--repair")}
    assert (found["leftovers"]["mark"], found["leases"]["mark"]) == ("well", "well")
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)
    assert {finding["mark"] for finding in printed(capsys, "doctor", NAME)} == {"well"}
    with opened(NAME) as (store, _):
        assert [event.kind for event in store.events(last)] == ["lease_ended"]


def test_the_doctor_bears_that_a_writer_renames_what_it_has_just_seen(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from cutpoint.service import doctor
    from cutpoint.store.header import is_database

    partial, array = (campaign_folder / f"{NAME}.files" / name for name in (".probs-00.partial", "probs-9-00.npy"))
    beside = campaign_folder / f"{NAME}.db-wal"
    unnamed, remove = doctor._unnamed, doctor._remove

    def seen(patient: doctor.Patient) -> list[Path]:
        beside.touch()
        partial.write_bytes(b"half")
        found = unnamed(patient)
        partial.rename(array)
        return found

    def gone(path: Path) -> bool:
        path.unlink()
        return is_database(path)

    def removed(patient: doctor.Patient, files: list[Path]) -> bool:
        files[0].unlink()
        return remove(patient, files)

    with monkeypatch.context() as patch:
        patch.setattr(doctor, "_unnamed", seen)
        patch.setattr(doctor, "is_database", gone)
        found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME)}
    assert (found["leftovers"]["mark"], found["leftovers"]["said"]) == ("well", "none")
    os.utime(array, (0, 0))
    monkeypatch.setattr(doctor, "_remove", removed)
    found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME, "--repair")}
    assert (found["leftovers"]["mark"], array.exists()) == ("well", False)


def test_the_doctor_repairs_nothing_of_a_log_that_it_cannot_read_to_its_end(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import os
    import sqlite3
    from contextlib import closing

    from cutpoint.service.place import opened

    with opened(NAME) as (_, files):
        array = files.folder / files.put("probs", np.eye(3))["file"]  # named by an event that only a newer one reads
    os.utime(array, (0, 0))
    with closing(sqlite3.connect(campaign_folder / f"{NAME}.db")) as connection:
        connection.execute("INSERT INTO events SELECT max(number) + 1, 0, 'of_tomorrow', '{}', NULL FROM events")
        connection.commit()
    findings = json.loads(command(capsys, "doctor", NAME, "--repair", "--json", code=1))
    assert [(found["part"], found["mark"]) for found in findings][2:] == [("log", "wrong")]
    assert findings[2]["do"] == "use the Cutpoint that wrote it, or a newer one; nothing is known to be damaged"
    assert array.exists()


@pytest.mark.parametrize("meanwhile", ["an event is written", "a desk is at work"])
def test_the_doctor_repairs_nothing_beside_somebody_who_writes(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    from contextlib import ExitStack

    from cutpoint.service import doctor
    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    array = campaign_folder / f"{NAME}.files" / "features-00.npy"
    array.write_bytes(b"of an event that is written now")
    os.utime(array, (0, 0))
    with opened(NAME) as (store, _), ExitStack() as stack:
        look = doctor._items

        def meanwhile_written(patient: doctor.Patient) -> Iterator[Finding]:
            if meanwhile == "an event is written":
                store.append([New("class_added", {"name": "crane"})])
            else:
                stack.enter_context(store.own("desk"))
            return look(patient)

        lease = {"lease": "x1", "item": 100, "annotator": "ann", "until": 1.0, "seconds": 900.0}
        store.append([New("lease_granted", lease)])
        monkeypatch.setattr(doctor, "_items", meanwhile_written)
        found = {finding["part"]: finding for finding in printed(capsys, "doctor", NAME, "--repair")}
        assert list(store.events())[-1].kind != "lease_ended"
    assert (found["leftovers"]["mark"], found["leases"]["mark"]) == ("note", "note")
    assert array.exists()


def test_the_doctor_leaves_arrays_that_may_be_another_campaigns(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import os
    import shutil

    array = campaign_folder / f"{NAME}.files" / "features-00.npy"
    array.write_bytes(b"of the other")
    os.utime(array, (0, 0))
    shutil.copy(campaign_folder / f"{NAME}.db", campaign_folder / f"{NAME}.sqlite")  # its arrays are in the same folder
    printed(capsys, "doctor", NAME, "--repair")
    assert array.exists()
    (campaign_folder / f"{NAME}.sqlite").unlink()
    printed(capsys, "doctor", NAME, "--repair")
    assert not array.exists()


def test_the_doctor_says_what_old_scores_take(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cutpoint.service.place import opened
    from cutpoint.service.training.trainer import Trainer
    from cutpoint.store.events import New

    def said() -> str:
        return next(str(finding["said"]) for finding in printed(capsys, "doctor", NAME) if finding["part"] == "scores")

    assert said() == "0 versions: 0.0 MiB; a replay alone reads 0.0 MiB of it"
    with opened(NAME) as (store, files):
        assert Trainer(store, files).step()
        published = next(dict(event.data) for event in store.events() if event.kind == "scores_published")
        assert published["files"].keys() == {"probs"}
        again = files.put("embedding", np.zeros((1 << 17, 2)))
        for version in (1, 2, 3):
            probs = files.put("probs", np.full((1 << 17, 4), version / 10))
            entries = {"probs": probs, "embedding": again}
            store.append([New("scores_published", published | {"version": 1 + version, "files": entries})])
    assert said() == "4 versions: 14.0 MiB; a replay alone reads 8.0 MiB of it"


def test_the_doctor_misses_pictures(campaign_folder: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "photos").rename(kept / "moved")
    try:
        assert "not where they were: 151 pictures" in wrong(capsys, "pictures")
    finally:
        (kept / "moved").rename(kept / "photos")


def test_the_doctor_says_what_goes_on_when_trainings_fail(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint.service.place import opened
    from cutpoint.store.events import New

    with opened(NAME) as (store, _):
        upto = store.last()
        store.append([New("training_started", {"run": "r", "upto": upto, "learner": "logistic"})])
        store.append([New("training_failed", {"run": "r", "upto": upto, "error": "no memory"})])
    (found,) = [finding for finding in printed(capsys, "doctor", NAME) if finding["part"] == "training"]
    assert found["said"] == "1 failure in a row, the last: no memory"
    assert found["do"] == "questions are drawn at random; mend what the message says"
    assert "The last training failed (no memory): people go on" in command(capsys, "status", NAME).replace("\n", " ")


def test_what_cannot_be_opened_is_not_to_be_restored(
    campaign_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY_CANTINIT

    def closed(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cutpoint.service.doctor_sqlite.sqlite3.connect", closed)
    findings = json.loads(command(capsys, "doctor", NAME, "--json", code=1))
    assert findings[-1]["do"] == "give yourself write access to it and its folder"


def test_a_folder_is_no_campaign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "birds.db").mkdir()
    assert "is a folder; a campaign is one file" in command(capsys, "doctor", str(tmp_path / "birds"), code=2)


def test_the_doctor_says_that_nothing_is_trained_without_embeddings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cutpoint import Campaign

    monkeypatch.chdir(tmp_path)
    with Campaign("bare.db", ["a", "b"], train="off") as campaign:
        campaign.add_pool(ids=["one", "two"])
    (found,) = [finding for finding in printed(capsys, "doctor", "bare") if finding["part"] == "training"]
    assert (found["mark"], found["said"]) == ("note", "2 items have no embedding, and a model learns from all")
    assert found["do"].startswith("questions are drawn at random; a campaign with the embeddings of all")
