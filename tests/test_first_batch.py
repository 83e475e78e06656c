"""How many questions are drawn at random before the first model, where labels exist already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from campaign_command import command
from cutpoint.service.desk.desk import Desk
from cutpoint.service.log.state import State
from cutpoint.service.training.trainer import Trainer
from cutpoint.store.events import New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore
from desks import FakeClock
from trained import a_store_with_features, answer

KNOWN = list(range(20, 40))  # of both classes


def import_known(store: MemoryStore) -> None:
    """Import labels of both classes."""
    store.append([New("labels_imported", {"items": KNOWN, "labels": [int(i < 30) for i in KNOWN], "source": "old"})])


def sign_known(store: MemoryStore) -> None:
    """Take in labels that somebody signed."""
    said = [{"item": i, "annotator": "eve", "label": int(i < 30), "lease": None, "late": False} for i in KNOWN]
    store.append([New("answered", data) for data in said])


@pytest.mark.parametrize("bring", [import_known, sign_known])
def test_so_many_questions_are_drawn_as_were_asked_for_whatever_is_known(
    bring: Callable[[MemoryStore], None], tmp_path: Path
) -> None:
    files = ArrayFiles(tmp_path)
    store = a_store_with_features(files, first=12)
    bring(store)
    trainer = Trainer(store, files, FakeClock())
    assert not trainer.step(), "nobody has been asked anything"
    desk = Desk(store, files, clock=FakeClock())
    answer(desk, 11)
    assert (desk.status().done, desk.status().trains_at) == (11, 12)
    assert not trainer.step()
    answer(desk, 1)
    assert trainer.step()
    (first,) = State(store.events()).rounds.all
    assert len(first.asked) == 12
    assert first.data["strategy"] == "random"


def test_labels_that_are_imported_meanwhile_are_no_questions(tmp_path: Path) -> None:
    files = ArrayFiles(tmp_path)
    store = a_store_with_features(files, first=12)
    desk, trainer = Desk(store, files, clock=FakeClock()), Trainer(store, files, FakeClock())
    answer(desk, 4)
    import_known(store)
    desk.tick()
    assert desk.status().done == 4
    assert not trainer.step()
    answer(desk, 8)
    assert trainer.step()


def test_where_no_number_is_set_labels_that_exist_bring_a_model_at_once(tmp_path: Path) -> None:
    files = ArrayFiles(tmp_path)
    store = a_store_with_features(files)
    import_known(store)
    assert Trainer(store, files, FakeClock()).step()


@pytest.mark.parametrize(
    ("options", "said"), [((), "the first 20 items, and 18 questions are drawn at random"), (("--first", "30"), "")]
)
def test_init_says_what_labels_that_exist_do(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("alembic", reason="the extra serve is not installed")
    (tmp_path / "pool.csv").write_text("id,size\n" + "".join(f"r{i},{i}\n" for i in range(60)))
    (tmp_path / "old.csv").write_text("id,label\nr1,other\nr2,heron\n")
    pool = ["--csv", str(tmp_path / "pool.csv"), "--import", str(tmp_path / "old.csv")]
    told = " ".join(command(capsys, "init", str(tmp_path / "b"), *pool, "--classes", "other,heron", *options).split())
    assert said in told
    assert ("labels that exist count" in told) is bool(said)
