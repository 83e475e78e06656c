"""A pool that a script hands over: added once however often it runs, from whatever holds it, or refused whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint import Campaign
from cutpoint.data.pools.bring import Wish, bring
from cutpoint.errors import CutpointError, DataError, UsageError
from cutpoint.service import adding
from cutpoint.store.base import Store
from cutpoint.store.memory import MemoryStore

IDS = [f"b{i}" for i in range(7)]
X: NDArray[np.float32] = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
TEXTS = [{"text": f"a bird, number {i}"} for i in range(7)]


def opened(folder: Path, store: Store) -> Campaign:
    return Campaign(store, ["other", "heron"], files=folder, train="off")


def chunks() -> Iterator[NDArray[np.float32]]:
    yield from (X[:2], X[2:7])


def held(campaign: Campaign) -> NDArray[np.float32]:
    """The features that the pool came with."""
    files = campaign.desk._board.files
    assert files is not None
    return np.asarray(files.open(campaign.desk.state.pools[0][1]["features"]))


def names(store: Store) -> list[str]:
    return store.ids(0, store.count())


@pytest.mark.parametrize("together", [2, 5000])
@pytest.mark.parametrize(
    "pool",
    [
        lambda: {"ids": IDS, "embeddings": X},
        lambda: {"ids": iter(IDS), "embeddings": chunks()},
        lambda: {"embeddings": X.astype(np.float64)},
        lambda: {"ids": IDS, "contents": iter(TEXTS)},
        lambda: {"contents": TEXTS, "embeddings": X},
        lambda: {"ids": IDS, "contents": [{"row": {"x": np.float64(place / 7), "y": None}} for place in range(7)]},
    ],
)
def test_a_script_that_runs_again_adds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: Any, together: int
) -> None:
    monkeypatch.setattr(adding, "_TOGETHER", together)
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        assert campaign.add_pool(**pool()) == 7
        more = np.ones((2, 3)) if "embeddings" in pool() else None
        assert campaign.add_pool(["c", "d"], more) == 2
    before = store.last(), names(store), sorted(tmp_path.iterdir())
    with opened(tmp_path, store) as campaign:
        assert campaign.add_pool(**pool()) == 0
        assert campaign.add_pool(["c", "d"], more) == 0
    assert (store.last(), names(store), sorted(tmp_path.iterdir())) == before


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        ({"ids": IDS, "embeddings": X + 1, "contents": TEXTS}, "the id 'b0' is there already, and not all of this"),
        ({"ids": IDS, "embeddings": X}, "the id 'b0' is there already"),  # with other contents
        ({"ids": IDS, "contents": TEXTS}, "the id 'b0' is there already"),  # with no embeddings
        ({"ids": IDS, "embeddings": X, "contents": [*TEXTS[:6], {"text": "another"}]}, "the id 'b0' is there already"),
        ({"ids": IDS[::-1], "embeddings": X, "contents": TEXTS}, "the id 'b6' is there already"),
        ({"ids": IDS[:6], "embeddings": X[:6], "contents": TEXTS[:6]}, "the id 'b0' is there already"),
        ({"ids": ["new", *IDS[:6]], "embeddings": X, "contents": TEXTS}, "the id 'b0' is there already"),
    ],
)
def test_what_is_there_otherwise_is_refused_whole(tmp_path: Path, pool: dict[str, Any], words: str) -> None:
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        campaign.add_pool(ids=IDS, embeddings=X, contents=TEXTS)
        before = store.last(), sorted(tmp_path.iterdir())
        with pytest.raises(UsageError, match=words):
            campaign.add_pool(**pool)
        assert (store.last(), sorted(tmp_path.iterdir())) == before


def test_the_whole_journey_runs_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlalchemy")
    monkeypatch.chdir(tmp_path)
    for turn in (1, 2):
        with Campaign("birds.db", classes=["other", "heron"], seed=0, train="off") as campaign:
            campaign.add_pool(ids=IDS, embeddings=X)
            for ask in campaign.ask(3, annotator="one"):
                campaign.tell(ask, "heron")
            assert campaign.export("labels.csv") == 3 * turn
    assert len(Path("labels.csv").read_text().splitlines()) == 7
    Path("mine.csv").write_text("mine")
    with Campaign("birds.db", train="off") as campaign:
        with pytest.raises(UsageError, match="is there and no export of these columns"):
            campaign.export("mine.csv")
        assert campaign.export("mine.csv", force=True) == 6
        assert campaign.export("tasks.json") == 6
        with pytest.raises(UsageError, match="does not say its format"):
            campaign.export("labels.xls")


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (lambda: (X,), r"ids are an array of shape \(7, 3\); .*embeddings as embeddings="),
        (lambda: (X.tolist(),), "ids have a list among them; .*embeddings as embeddings="),
        (lambda: (list(X),), "ids have a ndarray among them"),
        (lambda: ("abc",), "ids are one text, 'abc'; they must be a list of names"),
        (lambda: (["a", None],), "ids have a NoneType among them"),
    ],
)
def test_embeddings_are_not_taken_for_ids(tmp_path: Path, pool: Any, words: str) -> None:
    store = MemoryStore()
    with opened(tmp_path, store) as campaign, pytest.raises(UsageError, match=words):
        campaign.add_pool(*pool())
    assert store.count() == 0


def test_ids_are_a_list_of_any_kind(tmp_path: Path) -> None:
    for ids in (np.array(IDS), tuple(IDS), iter(IDS), dict.fromkeys(IDS)):
        store = MemoryStore()
        with opened(tmp_path, store) as campaign:
            assert campaign.add_pool(ids, X) == 7
        assert names(store) == IDS
    with opened(tmp_path, store := MemoryStore()) as campaign:
        campaign.add_pool(range(3, 6))  # type: ignore[arg-type]
    assert names(store) == ["3", "4", "5"]


@pytest.mark.parametrize(
    "pool",
    [
        {"ids": [], "embeddings": np.zeros((0, 8))},
        {"ids": []},
        {"embeddings": []},
        {"embeddings": np.zeros((0, 8)), "contents": []},
    ],
)
def test_an_empty_pool_adds_nothing_and_is_asked_nothing(tmp_path: Path, pool: dict[str, Any]) -> None:
    store = MemoryStore()
    with opened(tmp_path, store) as campaign:
        before = store.last()
        assert campaign.add_pool(**pool) == 0
        asks = campaign.ask(5, annotator="one")
        assert (list(asks), asks.reason) == ([], "The pool is empty: add items to it.")
        assert store.last() == before + 1  # who asked is noted
        assert campaign.add_pool(ids=IDS, embeddings=X) == 7
        assert campaign.add_pool(**pool) == 0


@pytest.mark.parametrize(
    "pool", [{"ids": [], "embeddings": X}, {"ids": IDS, "embeddings": np.zeros((0, 3))}, {"ids": [], "contents": TEXTS}]
)
def test_a_part_that_is_empty_alone_is_refused(tmp_path: Path, pool: dict[str, Any]) -> None:
    with opened(tmp_path, MemoryStore()) as campaign, pytest.raises(UsageError, match="one of each for every item"):
        campaign.add_pool(**pool)


# parquet


def written(path: Path, **columns: Any) -> Path:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(columns), path)
    return path


LISTS = [list(map(float, row)) for row in X]
WIDE = {f"f{d}": X[:, d] for d in range(3)}
SWAPPED = [3, 1, 0, 2, 6, 5, 4]


@pytest.mark.parametrize("columns", [{"embedding": LISTS}, WIDE, {"name": IDS, "embedding": LISTS}])
def test_rows_of_parquet_without_ids_are_in_the_order_of_the_items(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = written(tmp_path / "x.parquet", **columns)
    for ids in (IDS, None):
        store = MemoryStore()
        with opened(tmp_path / "arrays", store) as campaign:
            assert campaign.add_pool(ids=ids, embeddings=str(path)) == 7
            assert np.array_equal(held(campaign), X)
        assert names(store) == (IDS if ids else [str(i) for i in range(7)])
    for given in (IDS[:6], [*IDS, "more"]):
        with opened(tmp_path / "arrays", MemoryStore()) as campaign:
            with pytest.raises(DataError, match=f"has 7 rows for {len(given)} items") as told:
                campaign.add_pool(ids=given, embeddings=path)
            assert "--" not in str(told.value)


@pytest.mark.parametrize("column", ["id", "ids"])
@pytest.mark.parametrize("columns", [{"embedding": LISTS}, WIDE])
def test_rows_of_parquet_are_found_by_its_ids_which_may_be_the_pools(
    tmp_path: Path, columns: dict[str, Any], column: str
) -> None:
    path = written(tmp_path / "x.parquet", **{column: IDS}, **columns)
    with opened(tmp_path / "arrays", MemoryStore()) as campaign:
        assert campaign.add_pool(ids=[IDS[i] for i in SWAPPED], embeddings=path) == 7
        assert np.array_equal(held(campaign), X[SWAPPED])
    store = MemoryStore()
    with opened(tmp_path / "arrays", store) as campaign:
        assert campaign.add_pool(embeddings=path) == 7
        assert np.array_equal(held(campaign), X)
        assert campaign.add_pool(embeddings=path) == 0
    assert names(store) == IDS


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": ["a", "b", "a"], "f": [1.0, 2.0, 3.0]}, "has the id 'a' twice"),
        ({"id": ["a", None, "c"], "f": [1.0, 2.0, 3.0]}, "id is empty in row 1; every row needs an id"),
        ({"id": ["a", "b", "c"], "name": ["x", "y", "z"]}, "neither a column of lists of numbers nor numeric columns"),
    ],
)
def test_a_parquet_file_that_cannot_be_meant_is_refused(tmp_path: Path, columns: dict[str, Any], words: str) -> None:
    path = written(tmp_path / "x.parquet", **columns)
    with opened(tmp_path / "arrays", MemoryStore()) as campaign, pytest.raises(CutpointError, match=words) as told:
        campaign.add_pool(embeddings=path)
    assert "--" not in str(told.value)


@pytest.mark.parametrize(("columns", "shown"), [({"id": IDS}, {"id": "b3"}), ({}, {"row": 4})])
def test_a_parquet_file_of_features_alone_begins_a_campaign(
    tmp_path: Path, columns: dict[str, Any], shown: dict[str, Any]
) -> None:
    path = written(tmp_path / "pool.parquet", embedding=LISTS, **columns)
    pool = bring(Wish(file=path))
    assert pool.ids == (columns["id"] if columns else [str(i) for i in range(1, 8)])
    assert list(pool.contents())[3] == {"row": shown}
    assert pool.features is not None
    assert np.array_equal(pool.features, X)
    assert "holds features alone: people see the " in pool.notes[0]


def test_a_sheet_of_ids_alone_has_nothing_to_show(tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("id\na\nb\n")
    with pytest.raises(DataError, match="there is nothing to show"):
        bring(Wish(file=tmp_path / "ids.csv"))
