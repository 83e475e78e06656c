"""What a learner and a model are, and how any scikit-learn classifier becomes one.

The column of a class is its number, whatever classes the labels happened to hold: a class without labels has
probability 0 in its own column, and labels of a single class make a constant model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from cutpoint.data.captions import Captions
from cutpoint.data.pool import Features, Pool
from cutpoint.errors import UsageError
from cutpoint.learners.scaling import Scaled
from cutpoint.strategies import entry_of
from cutpoint.types import UNKNOWN, Labels, Scores

Floats = NDArray[np.float32]
PROBS = frozenset({"probs"})
EVERYTHING = frozenset({"probs", "embedding", "head"})


class Model(Protocol):
    """A trained model of K classes; it changes no more."""

    @property
    def notes(self) -> Mapping[str, float]:
        """What is worth recording of the fit, such as the strength of regularisation that was chosen."""
        ...

    def predict_probs(self, features: Features) -> Floats:
        """Class probabilities (M, K) float32 of features (M, d)."""
        ...

    def predict(self, features: Features) -> Labels:
        """Most probable class of each row, (M,) int64."""
        ...

    def score(self, pool: Pool, needs: frozenset[str] = PROBS) -> Scores:
        """Scores of the whole pool; the embedding and the head only if they are needed and defined."""
        ...


class Learner(Protocol):
    """Makes models of a fixed number of classes.

    It may say what its models put into `Scores`, in an attribute `gives`: a frozenset of "probs", "embedding" and
    "head". A campaign with a strategy that reads more is then refused before its first question; a learner that says
    nothing is found out in the first round, by the strategy. And it says what it reads of a pool if that is not
    features: `reads = "pictures"`; a pool of the other kind is refused as early. One that knows classes by more than
    labels, such as their names, says `knows_classes = True`: those without a label then need not have probability 0.
    """

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A model of the examples whose label is not -1; the same arguments give the same model."""
        ...


def gives(learner: Learner) -> frozenset[str] | None:
    """What the learner says that its models put into `Scores`; None if it does not say."""
    said = getattr(learner, "gives", None)
    return None if said is None else frozenset(said)


def reads(learner: object) -> str:
    """What the learner reads of a pool: "pictures" if it says so, else "features"."""
    return "pictures" if getattr(learner, "reads", "features") == "pictures" else "features"


def check_gives(strategy: str, learner: Learner, name: str) -> None:
    """UsageError if the strategy reads of `Scores` what the learner, called `name`, says that it does not give.

    Also if there is no such strategy.
    """
    needs, given = entry_of(strategy).needs, gives(learner)
    missing = sorted(needs - given) if given is not None else []
    if missing:
        raise UsageError(
            f"{strategy} reads {' and '.join(missing)} of the scores, and the learner {name} gives"
            f" {' and '.join(sorted(given or ()))} only; take a learner that gives it, such as logistic, or a strategy"
            " that reads probabilities alone."
        )


def check_reads(pool: Pool, learner: Learner, name: str) -> None:
    """UsageError if the pool holds pictures and the learner, called `name`, reads features, or the other way round."""
    held, wanted = "pictures" if pool.is_pictures else "features", reads(learner)
    if held != wanted:
        other = "resnet18" if pool.is_pictures else "logistic"
        raise UsageError(
            f"the pool holds {held}, and the learner {name} reads {wanted}; take a learner of {held}, such as {other}, "
            f"or a data set of {wanted}."
        )


def knows_classes(learner: Learner) -> bool:
    """True if the learner says that it knows classes that nobody has labelled."""
    return getattr(learner, "knows_classes", False) is True


def equipped(learner: Learner, *, root: Path | None, scratch: Path | None, captions: Captions = ()) -> Learner:
    """The learner, told where published files are, where it may keep unfinished fits, and what its classes are called.

    Each only if it has such a field. `root`: the data root; `scratch`: a folder that a fit which was killed goes on
    from when it is asked for again; `captions`: sentences of each class, as `data/captions.py` makes them.
    """
    if not is_dataclass(learner) or isinstance(learner, type):
        return learner
    known = {"root": root, "scratch": scratch, "captions": captions}
    told = {each.name: known[each.name] for each in fields(learner) if each.name in known}
    return replace(learner, **told)


def needed(needs: Iterable[str]) -> frozenset[str]:
    """The names of what is needed; UsageError for one of what `Scores` do not have."""
    if isinstance(needs, str) or not isinstance(needs, Iterable):
        raise UsageError(f"needs is {needs!r}; it must be some of probs, embedding and head: {{'probs', 'embedding'}}.")
    named = frozenset(needs)
    unknown = sorted(map(repr, named - EVERYTHING))
    if unknown:
        raise UsageError(f"needs names {', '.join(unknown)}; scores have probs, embedding and head.")
    return named


def check_ready(learner: Learner) -> None:
    """Raise, before anything is trained, what the learner's `check()` has to say, if it has one: a missing file."""
    check = getattr(learner, "check", None)
    if check is not None:
        check()


def labelled(pool: Pool, labels: Labels, n_classes: int) -> tuple[NDArray[np.intp], Labels]:
    """Ascending indices of the labelled examples, and their labels; UsageError for none or bad ones."""
    labels_N = np.asarray(labels)
    if labels_N.shape != (pool.n_examples,):
        raise UsageError(
            f"the labels have shape {labels_N.shape}; they must be ({pool.n_examples},), -1 where unknown."
        )
    known = np.flatnonzero(labels_N != UNKNOWN)
    if known.size == 0:
        raise UsageError("no example is labelled; a learner needs at least one label: ask a first batch at random.")
    given = labels_N[known].astype(np.int64)
    if given.min() < 0 or given.max() >= n_classes:
        raise UsageError(
            f"the labels run from {given.min()} to {given.max()}; they must lie in 0..{n_classes - 1}, or be -1."
        )
    return known, given


def class_weights(labels: Labels, n_classes: int) -> NDArray[np.float64]:
    """Weights (n_classes,), inverse to the labelled counts (section 5.1), whose mean over `labels` is 1.

    0 for a class without labels.
    """
    counts_K = np.bincount(labels, minlength=n_classes)
    weights_K = np.zeros(n_classes)
    np.divide(labels.size, counts_K * np.count_nonzero(counts_K), out=weights_K, where=counts_K > 0)
    return weights_K


@dataclass(frozen=True, eq=False)
class WrappedModel:
    """A fitted scikit-learn classifier, its columns in the places of their classes; no embedding, no head."""

    n_classes: int
    classifier: Any
    notes: Mapping[str, float] = field(default_factory=dict)

    def predict_probs(self, features: Features) -> Floats:
        """Probabilities (M, K) float32: the classifier's columns, each in the place of its class."""
        probs_M_K = np.zeros((len(features), self.n_classes), dtype=np.float32)
        probs_M_K[:, np.asarray(self.classifier.classes_, dtype=np.intp)] = self.classifier.predict_proba(features)
        return probs_M_K

    def predict(self, features: Features) -> Labels:
        """Most probable class, (M,) int64; the lowest of several."""
        return np.asarray(self.predict_probs(features).argmax(axis=1), dtype=np.int64)

    def score(self, pool: Pool, needs: Iterable[str] = PROBS) -> Scores:
        """Probabilities alone, whatever is needed besides."""
        needed(needs)
        return Scores(self.predict_probs(pool.features))


@dataclass(frozen=True, eq=False)
class ConstantModel:
    """Says the one class it has seen, with certainty: what labels of a single class teach.

    scale: the scaled features then stand for the embedding that other labels would have taught, below a head whose
    biases alone decide; None: probabilities are all that it gives.
    """

    n_classes: int
    only: int
    scale: Scaled | None = None
    notes: Mapping[str, float] = field(default_factory=dict)

    def predict_probs(self, features: Features) -> Floats:
        """Probabilities (M, K) float32: 1 in the column of the one class."""
        probs_M_K = np.zeros((len(features), self.n_classes), dtype=np.float32)
        probs_M_K[:, self.only] = 1.0
        return probs_M_K

    def predict(self, features: Features) -> Labels:
        """The one class, (M,) int64."""
        return np.full(len(features), self.only, dtype=np.int64)

    def score(self, pool: Pool, needs: Iterable[str] = PROBS) -> Scores:
        """Probabilities; with a scale and if needed, also an embedding (N, d) and a head (K, d + 1).

        The head's weights are 0, its biases 0 for the one class and -inf for those unseen.
        """
        wanted, probs_N_K = needed(needs) - PROBS, self.predict_probs(pool.features)
        if self.scale is None or not wanted:
            return Scores(probs_N_K)
        embedding = self.scale.pool if pool.features is self.scale.pool_features else self.scale.apply(pool.features)
        head_K_D = np.zeros((self.n_classes, embedding.shape[1] + 1), dtype=np.float32)
        head_K_D[:, -1] = np.where(np.arange(self.n_classes) == self.only, 0.0, -np.inf)
        return Scores(probs_N_K, embedding, head_K_D)


@dataclass(frozen=True)
class WrappedLearner:
    """Fits a new scikit-learn classifier in every round; `make(seed)` returns it unfitted. It gives probabilities."""

    n_classes: int
    make: Callable[[int], Any]
    gives: ClassVar[frozenset[str]] = PROBS

    def fit(self, pool: Pool, labels: Labels, *, seed: int) -> Model:
        """A model of the labelled rows, the features as they are."""
        known, given = labelled(pool, labels, self.n_classes)
        if (given == given[0]).all():
            return ConstantModel(self.n_classes, int(given[0]))
        return WrappedModel(self.n_classes, self.make(seed).fit(pool.table[known], given))


def wrap(classifier: Any, n_classes: int) -> Learner:
    """A learner out of any scikit-learn classifier with `predict_proba`; it is cloned for every fit.

    It gives probabilities alone, so strategies that read an embedding or a head do not work with it.
    Its `random_state`, if it has one, is set from the seed. For `class_weight="balanced"` and the like, set
    them on it.
    """
    if not hasattr(classifier, "fit") or not hasattr(classifier, "predict_proba"):
        raise UsageError(
            f"{type(classifier).__name__} has no fit and predict_proba; wrap a classifier that gives probabilities."
        )

    def make(seed: int) -> Any:
        from sklearn.base import clone

        fresh = clone(classifier)
        return fresh.set_params(random_state=seed % 2**32) if "random_state" in fresh.get_params() else fresh

    return WrappedLearner(n_classes, make)
