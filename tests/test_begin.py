"""How a campaign begins: all that can be refused is refused before anything is written, and interrupted it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.data.pools.bring import Wish
from cutpoint.errors import UsageError
from cutpoint.service.begin import Taken, add_classes, begin, import_file
from cutpoint.service.gather import SEED_EXAMPLES, Beginning, gather, summary
from cutpoint.service.log.settings import Settings
from cutpoint.service.log.state import State
from cutpoint.store.events import Event, New
from cutpoint.store.files import ArrayFiles
from cutpoint.store.memory import MemoryStore

SETTINGS = Settings("birds", ("other", "heron"), seed=3)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of thirty rows."""
    path = tmp_path / "table.csv"
    path.write_text("id,size\n" + "".join(f"r{i},{i}\n" for i in range(30)))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Labels of which one is signed."""
    path = tmp_path / "labels.csv"
    path.write_text("id,label,annotator\nr3,heron,\nr0,other,\nr7,heron,ann\n")
    return path


def gathered(table: Path, *labels: tuple[str, Path]) -> Beginning:
    """What a campaign over the table begins with."""
    return gather(SETTINGS, Wish(file=table), labels)


def test_the_log_begins_with_all_that_was_brought(table: Path, labels: Path, tmp_path: Path) -> None:
    rare = tmp_path / "rare.csv"
    rare.write_text("id,label\nr9,heron\n")
    store, files = MemoryStore(), ArrayFiles(tmp_path / "files")
    beginning = gathered(table, ("labels.csv", labels), (SEED_EXAMPLES, rare))
    begin(store, files, beginning)
    kinds = [event.kind for event in store.events()]
    assert kinds == ["campaign_created", "pool_added", "labels_imported", "answered", "labels_imported"]
    state = State(store.events())
    assert state.made == replace(SETTINGS, kind="row")
    assert {i: state.ballots.label(i) for i in state.ballots.votes} == {0: 0, 3: 1, 7: 1, 9: 1}
    assert state.people.by_name["ann"].answers == 1
    assert store.items([2])[0].content == {"row": {"size": "2"}}
    features = files.open(state.pools[0][1]["features"], verify=True)
    assert features.shape == (30, 1)
    np.testing.assert_array_equal(features, beginning.embedded.features)
    said = summary(beginning)
    assert (said.items, said.labels, said.dimensions, said.kind) == (30, 4, 1, "row")


class Interrupted(MemoryStore):
    """A store whose writer is interrupted after some transactions."""

    left = 0

    def append(self, news: Sequence[New]) -> list[Event]:
        """Store, until no transaction is left."""
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().append(news)


def test_what_was_interrupted_anywhere_goes_on_and_is_the_same(table: Path, labels: Path, tmp_path: Path) -> None:
    files = ArrayFiles(tmp_path / "files")
    beginning = gathered(table, ("labels.csv", labels))
    whole = MemoryStore()
    begin(whole, files, beginning)
    wanted = [(event.number, event.kind, event.data) for event in whole.events()]
    for steps in range(len(wanted)):
        store = Interrupted()
        store.left = steps
        with pytest.raises(KeyboardInterrupt):
            begin(store, files, beginning)
        store.left = 100
        begin(store, files, beginning)
        assert [(event.number, event.kind, event.data) for event in store.events()] == wanted
        with pytest.raises(UsageError, match="is there already"):
            begin(store, files, beginning)


def test_another_campaign_in_the_same_store_is_refused(table: Path, tmp_path: Path) -> None:
    store, files = MemoryStore(), ArrayFiles(tmp_path / "files")
    begin(store, files, gathered(table))
    other = replace(gathered(table), settings=replace(SETTINGS, seed=4, kind="row"))
    with pytest.raises(UsageError, match="holds another campaign"):
        begin(store, files, other)
    assert store.last() == 2


def test_files_of_labels_that_contradict_each_other_are_refused(table: Path, labels: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("id,label\nr3,other\n")
    with pytest.raises(UsageError, match=r"'r3' is 'heron' in labels\.csv and 'other' in other\.csv"):
        gathered(table, ("labels.csv", labels), ("other.csv", other))


@pytest.mark.parametrize(("first", "drawn"), [(20, "17 questions are"), (4, "1 question is"), (3, "no question is")])
def test_it_is_said_how_many_questions_are_drawn_where_labels_exist(
    table: Path, labels: Path, first: int, drawn: str
) -> None:
    beginning = gathered(table, ("labels.csv", labels))
    (note,) = summary(replace(beginning, settings=replace(beginning.settings, first=first))).notes
    assert f"{drawn} drawn at random before the first model" in note
    assert note.endswith("begin with --first 103.")
    assert summary(gathered(table)).notes == ()


@pytest.mark.filterwarnings("error")
def test_of_items_that_nothing_tells_apart_it_is_said(tmp_path: Path) -> None:
    constant, same = tmp_path / "constant.npy", tmp_path / "same.csv"
    np.save(constant, np.ones((30, 4), np.float32))
    same.write_text("id,body\n" + "".join(f"t{i},the same\n" for i in range(30)))
    for wish in (Wish(file=constant), Wish(file=same, text="body")):
        assert any("all items have the same features" in note for note in summary(gather(SETTINGS, wish)).notes)


def test_labels_and_classes_can_be_added_later(table: Path, labels: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    begin(store, ArrayFiles(tmp_path / "files"), gathered(table))
    assert import_file(store, labels) == Taken(3, 0, ())
    last = store.last()
    assert import_file(store, labels) == Taken(0, 3, ())
    assert store.last() == last
    assert add_classes(store, ["crane"]) == ("other", "heron", "crane")
    with pytest.raises(UsageError, match="'crane' is there already"):
        add_classes(store, ["ibis", "crane"])
    assert store.last() == last + 1
    labels.write_text("id,label\nr8,crane\n")
    import_file(store, labels)
    assert State(store.events()).ballots.label(8) == 2


def test_an_import_is_whole_or_not_at_all(table: Path, labels: Path, tmp_path: Path) -> None:
    store = Interrupted()
    store.left = 100
    begin(store, ArrayFiles(tmp_path / "files"), gathered(table))
    labels.write_text("id,label,annotator\nr3,heron,\nr0,other,ann\nr7,heron,bob\n")
    store.left = 100
    assert import_file(store, labels) == Taken(3, 0, ())
    assert store.left == 99
    assert [event.kind for event in store.events(2)] == ["labels_imported", "answered", "answered"]


def test_what_somebody_says_otherwise_in_a_file_is_a_correction(table: Path, labels: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    begin(store, ArrayFiles(tmp_path / "files"), gathered(table, ("labels.csv", labels)))
    labels.write_text("id,label,annotator\nr3,other,\nr7,other,ann\nr8,heron,ann\n")
    last = store.last()
    assert import_file(store, labels) == Taken(3, 0, ())
    imported, corrected, answered = store.events(last)
    assert (imported.kind, corrected.kind, answered.kind) == ("labels_imported", "corrected", "answered")
    assert corrected.data == {"item": 7, "annotator": "ann", "label": 0, "was": 1}
    assert State(store.events()).people.person("ann").corrections == 1


def test_a_bad_file_of_labels_changes_nothing(table: Path, labels: Path, tmp_path: Path) -> None:
    store: Any = MemoryStore()
    begin(store, ArrayFiles(tmp_path / "files"), gathered(table))
    labels.write_text("id,label\nr8,other\nr99,other\n")
    with pytest.raises(UsageError, match=r"labels\.csv, line 3: no item of the pool is called 'r99'"):
        import_file(store, labels)
    assert store.last() == 2
