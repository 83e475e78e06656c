"""A campaign in a script: made, added to, asked, answered, trained within `ask`, closed and opened again."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from cutpoint import STRATEGIES, Campaign
from cutpoint.errors import CutpointError, UsageError
from cutpoint.service.overview import sentences
from cutpoint.service.replay import replay
from cutpoint.store.memory import MemoryStore
from desks import events_of

N = 300


@pytest.fixture(scope="module")
def digits() -> tuple[NDArray[Any], NDArray[Any]]:
    """Features (N, 64) and whether each is a zero."""
    pictures, numbers = load_digits(return_X_y=True)
    return pictures[:N].astype(np.float32), (numbers[:N] == 0).astype(int)


def a_campaign(folder: Path, store: MemoryStore | None = None, **settings: Any) -> Campaign:
    sizes = {"first": 20, "budget": 20, **settings}
    return Campaign(store or MemoryStore(), ["other", "zero"], files=folder, train="inline", **sizes)


def label(campaign: Campaign, truth: NDArray[Any], n: int, person: str = "one") -> None:
    for _ in range(n):
        ask = campaign.ask(1, annotator=person)[0]
        campaign.tell(ask, int(truth[ask.item]))


def test_a_campaign_trains_as_it_goes_and_finds_what_is_rare(
    tmp_path: Path, digits: tuple[NDArray[Any], NDArray[Any]]
) -> None:
    features, truth = digits
    store = MemoryStore()
    with a_campaign(tmp_path, store) as campaign:
        assert campaign.add_pool(embeddings=features) == N
        label(campaign, truth, 80)
        status = campaign.status()
        assert status.labelled == 80
        assert status.model == 3
        assert status.found[1] >= 0.75 * truth.sum()  # a tenth of the pool; at random it would be a quarter of them
        assert {"labels", "found_1", "seconds", "foreseen"} <= set(status.measures[-1][1])
        assert campaign.labels == {str(i): ["other", "zero"][truth[i]] for i in map(int, campaign.labels)}
    done = replay(store, campaign.desk._board.files)
    assert done.same
    assert done.rounds == len(events_of(store, "round_opened")) >= 4
    assert done.questions >= done.labels == 80


def test_a_campaign_that_two_scripts_make_is_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    a_campaign(tmp_path, store, overlap=2).close()
    monkeypatch.setattr(store, "last", lambda: 0)  # as the second one saw it a moment before
    with pytest.raises(UsageError, match="overlap is 3; this campaign has 2"):
        a_campaign(tmp_path, store, overlap=3)
    a_campaign(tmp_path, store, overlap=2).close()
    assert len(events_of(store, "campaign_created")) == 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_drives_a_campaign(name: str, tmp_path: Path, digits: tuple[NDArray[Any], NDArray[Any]]) -> None:
    features, truth = digits
    store = MemoryStore()
    with a_campaign(tmp_path, store, strategy=name, budget=10) as campaign:
        campaign.add_pool(embeddings=features[:150])
        for _ in range(15):
            label(campaign, truth, 1, "one")
            label(campaign, truth, 2, "two")
        held = [ask.item for person in ("one", "two", "three") for ask in campaign.ask(2, annotator=person)]
        assert len(held) == len(set(held)) >= 3
        assert campaign.status().labelled == 45
        assert campaign.status().trouble == ""
        ended = events_of(store, "round_opened")[-1].data
        assert ended["strategy"] == name
        assert replay(store, campaign.desk._board.files).same


def test_a_campaign_is_opened_as_it_was_left(tmp_path: Path, digits: tuple[NDArray[Any], NDArray[Any]]) -> None:
    features, truth = digits
    store = MemoryStore()
    with a_campaign(tmp_path, store) as campaign:
        campaign.add_pool(embeddings=features)
        label(campaign, truth, 30)
        held = campaign.ask(3, annotator="one")
    with a_campaign(tmp_path, store) as again:
        asks = again.ask(3, annotator="one")
        assert [ask.item for ask in asks] == [ask.item for ask in held]
        assert [ask.why for ask in asks] == [ask.why for ask in held]
    for wrong, words in (({"seed": 5}, "seed is 5; this campaign has 0"), ({"overlap": 2}, "overlap is 2")):
        with pytest.raises(UsageError, match=words):
            a_campaign(tmp_path, store, **wrong)
    with pytest.raises(UsageError, match="this campaign has other, zero"):
        Campaign(store, ["other"], train="off")
    with Campaign(store, train="off", files=tmp_path) as opened:
        assert opened.status().labelled == 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ids": ["a", "b", "a"], "embeddings": np.zeros((3, 2))}, "'a' is there twice"),
        ({"ids": ["old", "b"], "embeddings": np.zeros((2, 2))}, "'old' is there already"),
        ({"ids": ["a"], "embeddings": np.zeros((2, 2))}, "1 ids for 2 items|2 embeddings for 1 item;"),
        ({"embeddings": np.array([[0, 1], [np.nan, 1]])}, "row 1 of the embeddings holds NaN"),
        ({"embeddings": np.zeros((2, 3))}, "have 3 columns; those of the pool before have 2"),
        ({"embeddings": np.zeros(3)}, "must be numbers of shape"),
        (
            {"ids": ["late"]},
            "these items have no embeddings, and those of the pool before have, of 2 columns; give theirs",
        ),
        ({"embeddings": [np.zeros((2, 2)), np.zeros((1, 3))]}, r"chunk 1 of the embeddings has shape \(1, 3\)"),
        ({"embeddings": "nowhere.npy"}, "there is no file"),
        ({"embeddings": "some.parquet"}, "there is no file"),
        ({"embeddings": "some.txt"}, "must be .npy or .parquet"),
        ({}, "the pool is empty"),
        ({"contents": [{"text": "fine"}, {"text": "a \ud83d bird"}], "ids": ["a", "b"]}, "item 'b' holds half a char"),
        ({"contents": [{"row": {"name": "\udc00"}}, {"row": {"\udc00": 1}}], "ids": ["a", "b"]}, "item '[ab]' holds"),
        ({"ids": ["bird \udc80"]}, "the id of item .* holds half a character"),
    ],
)
def test_a_pool_that_cannot_be_meant_is_refused_whole(tmp_path: Path, arguments: Any, words: str) -> None:
    with a_campaign(tmp_path) as campaign:
        campaign.add_pool(ids=["old"], embeddings=np.zeros((1, 2)))
        before = campaign.desk.state.number, sorted(tmp_path.iterdir())
        with pytest.raises(CutpointError, match=words):
            campaign.add_pool(**arguments)
        assert (campaign.desk.state.number, sorted(tmp_path.iterdir())) == before


def test_embeddings_come_as_arrays_maps_files_and_chunks(tmp_path: Path) -> None:
    whole = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.save(tmp_path / "six.npy", whole)
    ways: list[Any] = [
        whole,
        whole.astype(np.float64),
        np.load(tmp_path / "six.npy", mmap_mode="r"),
        tmp_path / "six.npy",
        [whole[:4], whole[4:]],
        (row for row in whole),
    ]
    for place, way in enumerate(ways):
        with a_campaign(tmp_path / str(place)) as campaign:
            assert campaign.add_pool(embeddings=way) == 6
            entry = campaign.desk.state.pools[0][1]["features"]
            files = campaign.desk._board.files
            assert files is not None
            assert np.array_equal(files.open(entry), whole)


def test_a_closed_campaign_takes_nothing_and_asks_nothing(tmp_path: Path) -> None:
    store = MemoryStore()
    campaign = a_campaign(tmp_path, store)
    campaign.add_pool(ids=["a", "b"])
    campaign.ask()
    campaign.close()
    before = store.last(), store.count()
    for late in (lambda: campaign.add_pool(ids=["c"]), campaign.ask, lambda: campaign.tell("a", "other")):
        with pytest.raises(UsageError, match="this desk is closed; open the campaign again"):
            late()
    assert (store.last(), store.count()) == before


def test_a_pool_without_embeddings_is_asked_at_random_and_says_that_nothing_is_trained(tmp_path: Path) -> None:
    with a_campaign(tmp_path) as campaign:
        campaign.add_pool(ids=[f"text {i}" for i in range(40)], contents=[{"text": str(i)} for i in range(40)])
        with pytest.raises(
            UsageError, match="have embeddings, and 40 items of the pool before have none; leave them out"
        ):
            campaign.add_pool(ids=["late"], embeddings=np.zeros((1, 2)))
        for place in range(30):
            campaign.tell(campaign.ask()[0], place % 2)
        said = "none yet; the first is not trained: 40 items have no embedding, and a model learns from all"
        assert sentences.model(campaign.status()) == said
        for place in range(10):
            campaign.tell(campaign.ask()[0], place % 2)
        assert campaign.status().model is None
        assert campaign.ask().reason.startswith("Everything is labelled")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"classes": None}, "classes are missing"),
        ({"classes": ["a", "a"]}, "is there twice"),
        ({"classes": "ab"}, "must be a list of names"),
        ({"train": "later"}, "train is 'later'"),
        ({"colour": 1}, "has no setting 'colour'"),
        ({"strategy": "directt"}, "did you mean 'direct'"),
        ({"lease_seconds": 0}, "lease_seconds is 0"),
        ({"budget": 0}, "budget is 0"),
        ({"learner": "foo", "train": "inline", "files": "never"}, "foo"),
        pytest.param(
            {"learner": "resnet18", "train": "inline", "files": "never"},
            "reads pictures",
            marks=pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed"),
        ),
        ({"train": "process"}, "another process cannot open a store that is handed over; give the campaign's path"),
        ({"train": "inline"}, "there is no folder for the scores; give files="),
        ({"training_limit": 0}, "the limit of a training is 0; it must be a number of seconds above 0"),
        ({"training_limit": "1 h"}, "the limit of a training is '1 h'"),
    ],
)
def test_a_campaign_that_cannot_be_meant_is_not_made(arguments: dict[str, Any], words: str) -> None:
    store = MemoryStore()
    with pytest.raises(UsageError, match=words):
        Campaign(store, **{"classes": ["a", "b"], "train": "off", **arguments})
    assert store.last() == 0


def test_a_script_that_names_nobody_is_one_person() -> None:
    with Campaign(MemoryStore(), classes=["other", "heron"], train="off") as campaign:
        campaign.add_pool(ids=["a", "b", "c", "d"])
        campaign.tell(campaign.ask()[0], 1)
        (theirs,) = campaign.ask(annotator="one")
        assert theirs.annotator == "one"
        campaign.tell(theirs, 0)
        left = next(name for name in "abcd" if name not in campaign.labels)
        campaign.tell(left, 1)
        assert {person.name: person.answers for person in campaign.status().people} == {"me": 2, "one": 1}
