"""The consensus of Dawid and Skene: the paper's own figures, its naive twin, and what must hold of any estimate."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

import naive_votes
from cutpoint.core.measures import balanced_accuracy
from cutpoint.core.votes import dawid_skene, majority
from cutpoint.errors import UsageError

Shape = tuple[int, int, int]


@st.composite
def ballots(draw: st.DrawFn) -> tuple[list[naive_votes.Vote], Shape]:
    """Votes on a few examples, some of them without any and some with several by one annotator."""
    n, m, n_classes = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    vote = st.tuples(st.integers(0, n - 1), st.integers(0, m - 1), st.integers(0, n_classes - 1))
    return draw(st.lists(vote, max_size=25)), (n, m, n_classes)


PAPER = (0.0, 0.0)
priors = st.sampled_from([PAPER, (1.0, 0.01), (0.0, 0.01), (2.0, 0.5)])


@given(ballots(), priors, st.integers(1, 6))
def test_it_equals_its_naive_twin(
    drawn: tuple[list[naive_votes.Vote], Shape], before: naive_votes.Prior, steps: int
) -> None:
    votes, shape = drawn
    options = dict(zip(("trust", "smoothing"), before, strict=True))
    found = dawid_skene(votes, shape, **options, tolerance=1e-300, most_steps=steps)
    assert found.steps == steps or found.converged
    posterior, prior, confusion = naive_votes.estimates(votes, shape, before, found.steps)
    assert found.posterior == pytest.approx(np.array(posterior), abs=1e-9)
    assert found.prior == pytest.approx(np.array(prior), abs=1e-9)
    assert found.confusion == pytest.approx(np.array(confusion), abs=1e-9)


def test_the_estimates_of_the_paper() -> None:
    """Tables 2 and 3 of Dawid and Skene (1979): the classes' shares, and the first observer's error rates."""
    found = dawid_skene(naive_votes.patients(), (45, 5, 4), trust=0.0, smoothing=0.0)
    assert found.converged
    assert found.prior.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    first = [[0.89, 0.11, 0.00, 0.00], [0.07, 0.88, 0.05, 0.00], [0.00, 0.34, 0.66, 0.00], [0.00, 0.00, 0.56, 0.44]]
    assert found.confusion[0].round(2).tolist() == first


@pytest.mark.parametrize("before", [PAPER, (1.0, 0.01), (0.0, 0.5)])
def test_every_step_makes_the_votes_more_probable(before: naive_votes.Prior) -> None:
    votes = naive_votes.patients()
    heights = []
    for steps in (1, 2, 3, 5, 9, 17):
        found = dawid_skene(votes, (45, 5, 4), trust=before[0], smoothing=before[1], most_steps=steps)
        heights.append(naive_votes.height(votes, found.prior.tolist(), found.confusion.tolist(), before))
    assert np.all(np.diff(heights) > -1e-9)
    assert heights[-1] > heights[0] + 1


@given(ballots(), st.integers(0, 2**32))
def test_order_and_names_do_not_matter(drawn: tuple[list[naive_votes.Vote], Shape], seed: int) -> None:
    votes = np.array(drawn[0], dtype=np.int64).reshape(-1, 3)
    n, m, n_classes = drawn[1]
    rng = np.random.default_rng(seed)
    items, people = rng.permutation(n), rng.permutation(m)
    turned = rng.permutation(np.stack([items[votes[:, 0]], people[votes[:, 1]], votes[:, 2]], axis=1))
    # Of a symmetric start, rounding alone decides where EM goes in the end: a few steps are compared, and not all.
    one, other = (dawid_skene(v, (n, m, n_classes), most_steps=5) for v in (votes, turned))
    assert other.posterior[items] == pytest.approx(one.posterior, abs=1e-6)
    assert other.confusion[people] == pytest.approx(one.confusion, abs=1e-6)
    assert np.array_equal(other.labels[items], one.labels)


@given(ballots(), priors)
def test_estimates_are_probabilities(drawn: tuple[list[naive_votes.Vote], Shape], before: naive_votes.Prior) -> None:
    votes, shape = drawn
    found = dawid_skene(votes, shape, trust=before[0], smoothing=before[1])
    for table in (found.posterior, found.prior, found.confusion):
        assert np.all((table >= 0) & (table <= 1))
        assert table.sum(axis=-1) == pytest.approx(np.ones(table.shape[:-1]))
    voted = np.isin(np.arange(shape[0]), [item for item, _, _ in votes])
    assert np.array_equal(found.labels >= 0, voted)
    assert np.all(found.posterior[~voted] == found.prior)


def test_nobody_voted() -> None:
    none: tuple[ArrayLike, ...] = ([], np.empty((0, 3), int))
    for votes in none:
        found = dawid_skene(votes, (3, 2, 4))
        assert found.labels.tolist() == [-1, -1, -1]
        assert np.all(found.posterior == 0.25)
        assert found.confusion[1, 2] == pytest.approx([0.01 / 1.04, 0.01 / 1.04, 1.01 / 1.04, 0.01 / 1.04])
    assert np.all(dawid_skene([], (3, 2, 4), trust=0, smoothing=0).confusion == 0.25)
    assert dawid_skene([], (0, 0, 2)).posterior.shape == (0, 2)


@pytest.mark.parametrize("rare", [1, 2, 30])
@pytest.mark.parametrize("m", [1, 3])
def test_who_is_alone_on_every_example_is_believed(m: int, rare: int) -> None:
    """One answer per item, as campaigns have it: nothing in the votes says that the rare class is an error."""
    said = [0] * 1000 + [1] * rare + [2] * 10
    found = dawid_skene([(i, i % m, label) for i, label in enumerate(said)], (1100, m, 3))
    assert found.labels.tolist() == said + [-1] * (1100 - len(said))


def test_one_class() -> None:
    found = dawid_skene([(0, 0, 0), (2, 1, 0)], (3, 2, 1))
    assert found.labels.tolist() == [0, -1, 0]
    assert np.all(found.posterior == 1)
    assert found.converged


def test_a_tie_goes_to_the_lowest_class() -> None:
    votes = [(0, 0, 1), (0, 1, 2), (1, 0, 2), (1, 1, 1)]  # two people who never agree
    found = dawid_skene(votes, (2, 2, 4))
    assert found.labels.tolist() == [1, 1]
    assert found.posterior[:, 1] == pytest.approx(found.posterior[:, 2])


def drawn_votes(confusion_m_K_K: NDArray[np.float64], truth_n: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Everybody votes once on every example, in their own way."""
    m, n_classes, _ = confusion_m_K_K.shape
    rng = np.random.default_rng(seed)
    said = [[rng.choice(n_classes, p=confusion_m_K_K[k, truth]) for k in range(m)] for truth in truth_n]
    return np.array([(i, k, label) for i, row in enumerate(said) for k, label in enumerate(row)])


def test_it_finds_who_errs_and_how_and_is_better_than_the_majority() -> None:
    good, swaps = np.array([[0.9, 0.1], [0.15, 0.85]]), np.array([[0.2, 0.8], [0.7, 0.3]])
    confusion = np.stack([good, good, good, swaps, np.full((2, 2), 0.5)])
    truth = (np.random.default_rng(1).random(1500) < 0.2).astype(np.int64)
    votes = drawn_votes(confusion, truth, 2)
    found = dawid_skene(votes, (1500, 5, 2))
    assert found.converged
    assert found.confusion == pytest.approx(confusion, abs=0.08)
    assert found.prior == pytest.approx([0.8, 0.2], abs=0.03)
    counted = majority(votes[:, 2].reshape(1500, 5), 2)
    assert balanced_accuracy(truth, found.labels, 2) > balanced_accuracy(truth, counted, 2) + 0.03


def test_thousands_of_votes_on_an_example_do_not_underflow() -> None:
    truth = np.arange(20) % 2
    votes = drawn_votes(np.tile([[0.8, 0.2], [0.2, 0.8]], (3000, 1, 1)), truth, 5)
    found = dawid_skene(votes, (20, 3000, 2))
    assert np.all(np.isfinite(found.posterior))
    assert np.array_equal(found.labels, truth)


def test_it_agrees_with_crowd_kit() -> None:
    """Another implementation, on the paper's votes and on drawn ones."""
    pandas, aggregation = pytest.importorskip("pandas"), pytest.importorskip("crowdkit.aggregation")
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 200)
    confusion = np.stack([np.eye(3) * share + (1 - share) / 3 for share in (0.9, 0.7, 0.4, 0.1)])
    some = drawn_votes(confusion, truth, 4)[rng.random(800) < 0.6]
    for votes, shape in ((np.array(naive_votes.patients()), (45, 5, 4)), (some, (200, 4, 3))):
        votes = votes[np.unique(votes[:, :2], axis=0, return_index=True)[1]]  # it knows one vote of each on an example
        found = dawid_skene(votes, shape, trust=0.0, smoothing=0.0, tolerance=1e-300, most_steps=30)
        other = aggregation.DawidSkene(n_iter=30, tol=-1.0)  # as many steps
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses what pandas is about to drop
            probs = other.fit_predict_proba(pandas.DataFrame(votes, columns=["task", "worker", "label"]))
        classes = list(range(shape[2]))
        assert found.posterior[probs.index] == pytest.approx(probs[classes].to_numpy(), abs=1e-6)
        assert found.prior == pytest.approx(other.priors_[classes].to_numpy(), abs=1e-6)
        for k in range(shape[1]):
            errors = other.errors_.loc[k].reindex(classes, fill_value=0)[classes].to_numpy()
            assert np.allclose(found.confusion[k].T, errors, atol=1e-6)


@pytest.mark.parametrize(
    ("votes", "shape", "said"),
    [
        ([(0, 0, 2)], (1, 1, 2), "vote 0 has class 2; it must lie in 0..1"),
        ([(0, 0, 0), (1, 0, 0)], (1, 1, 2), "vote 1 has example 1"),
        ([(0, -1, 0)], (1, 1, 2), "vote 0 has annotator -1"),
        ([(0, 0)], (1, 1, 2), r"shape \(1, 2\); they must be integers of shape \(v, 3\)"),
        ([(0.0, 0.0, 1.0)], (1, 1, 2), "votes are float64"),
        ([], (1, 1, 0), "with a class at least"),
        ([], (-1, 1, 2), r"shape is \(-1, 1, 2\)"),
    ],
)
def test_bad_votes_are_refused(votes: list[tuple[float, ...]], shape: Shape, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        dawid_skene(votes, shape)


@pytest.mark.parametrize(
    "options", [{"trust": -1.0}, {"smoothing": -1.0}, {"smoothing": np.nan}, {"tolerance": 0.0}, {"most_steps": 0}]
)
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="first two must be at least 0, the tolerance above 0"):
        dawid_skene([], (1, 1, 2), **options)  # type: ignore[arg-type]
