"""The values that flow through Cutpoint: scores and labels in, questions out.

All of them are frozen and check themselves. Truth never travels with them: a `Round` carries only labels
that somebody gave. Indices are always indices into the whole pool.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.checks import check_finite, check_head, check_probabilities, floating, integers, numbers
from cutpoint.errors import UsageError

UNKNOWN = -1
"""The label of an example that nobody has labelled."""


_T = TypeVar("_T", bound=np.generic)
Index = NDArray[np.intp]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of every example of the pool.

    probs:     (N, K) float32 class probabilities; rows sum to one within 1e-3 and are used as given, never
               renormalised.
    embedding: (N, D) floating, the last hidden layer, or None.
    head:      (K, D) or, with the bias last, (K, D + 1) floating, the last linear layer, or None. A bias of -inf
               marks a class without labels.

    Arrays that already have the right type are shared, not copied (a pool may be larger than half the memory):
    do not write into them afterwards. The views kept here are read-only.
    Raises UsageError, naming the first bad row.
    """

    probs: NDArray[np.float32]
    embedding: NDArray[np.floating[Any]] | None = None
    head: NDArray[np.floating[Any]] | None = None

    def __post_init__(self) -> None:
        """Check everything and freeze it."""
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinity and is refused below
            probs = _frozen(np.ascontiguousarray(numbers(self.probs, "probs"), dtype=np.float32))
        if probs.ndim != 2 or probs.shape[1] < 1:
            raise UsageError(
                f"probs has shape {probs.shape}; it must be (N, K): one row per example, one column per class."
            )
        check_probabilities(probs)
        object.__setattr__(self, "probs", probs)
        if self.embedding is not None:
            embedding = _frozen(floating(self.embedding, "embedding"))
            if embedding.ndim != 2 or len(embedding) != len(probs):
                raise UsageError(
                    f"embedding has shape {embedding.shape}; it must be ({len(probs)}, D): one row per row of probs."
                )
            check_finite(embedding, "embedding")
            object.__setattr__(self, "embedding", embedding)
        if self.head is not None:
            head = _frozen(floating(self.head, "head"))
            if head.ndim != 2 or len(head) != self.n_classes:
                hint = " Of a two-class model with one row w hand in the rows -w/2 and w/2." if len(head) == 1 else ""
                raise UsageError(
                    f"head has shape {head.shape}; it must be ({self.n_classes}, D): one row per class.{hint}"
                )
            width = None if self.embedding is None else self.embedding.shape[1]
            if width is not None and head.shape[1] not in (width, width + 1):
                raise UsageError(
                    f"head has {head.shape[1]} columns; it must have {width}, or {width + 1} with the bias last."
                )
            check_head(head, None if self.embedding is None else self.embedding.shape[1])
            object.__setattr__(self, "head", head)

    @property
    def n_examples(self) -> int:
        """N, the size of the pool."""
        return len(self.probs)

    @property
    def n_classes(self) -> int:
        """K, the number of classes."""
        return int(self.probs.shape[1])


@dataclass(frozen=True, eq=False)
class Round:
    """Everything a strategy may know before it asks its first question.

    labels:   (N,) integers, UNKNOWN (-1) where nobody has answered; kept as an int32 copy.
    budget:   B_train, how many questions this round may ask; with 0 it asks nothing.
    parallel: B_parallel, how many may be open at one time in a blocking session.
    seed:     seeds the round's own generator.
    held:     pool indices never to be asked: skipped for good, or still with somebody from an earlier round. A set or a
              sequence of them; kept as an array, ascending.
    """

    scores: Scores
    labels: Labels
    budget: int
    parallel: int = 1
    seed: int = 0
    held: Index = field(default_factory=lambda: np.empty(0, np.intp))

    def __post_init__(self) -> None:
        """Check everything and freeze it."""
        if not isinstance(self.scores, Scores):
            raise UsageError(
                f"scores is {type(self.scores).__name__}; it must be Scores: wrap the array, Scores(probs)."
            )
        n, k = self.scores.probs.shape
        labels = integers(self.labels, "labels")
        if labels.shape != (n,):
            raise UsageError(
                f"labels has shape {labels.shape}; it must be ({n},): one label per row of probs, -1 where unknown."
            )
        if n and (labels.min() < UNKNOWN or labels.max() >= k):
            row = int(np.flatnonzero((labels < UNKNOWN) | (labels >= k))[0])
            raise UsageError(f"labels[{row}] is {labels[row]}; it must be 0..{k - 1}, or -1 where unknown.")
        labels = _frozen(labels.astype(np.int32))  # a copy: the caller's array may move
        object.__setattr__(self, "labels", labels)
        for name, least in (("budget", 0), ("parallel", 1), ("seed", 0)):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, least))
        given: Any = self.held
        held = integers(list(given) if isinstance(given, Set) else given, "held")
        if held.ndim != 1:
            raise UsageError(f"held has shape {held.shape}; it must be a list of pool indices, (h,).")
        held = np.unique(held).astype(np.intp)
        if held.size and (held[0] < 0 or held[-1] >= n):
            raise UsageError(
                f"held names example {held[0] if held[0] < 0 else held[-1]}; the pool's indices are 0..{n - 1}."
            )
        object.__setattr__(self, "held", _frozen(held))

    def rng(self) -> np.random.Generator:
        """A fresh generator from the round's seed: every call gives the same stream."""
        return np.random.default_rng(self.seed)

    def unlabelled(self) -> Index:
        """(M,) ascending pool indices that may be asked: unlabelled and not held."""
        free = self.labels == UNKNOWN
        free[self.held] = False
        return np.flatnonzero(free)


class Known:
    """All that is known so far: a live, read-only view that a plan is sent each time it is resumed.

    labels:    (N,) int32, UNKNOWN where nobody has answered; follows the session, so copy what must stay.
    told:      pool indices in the order in which labels arrived, changed or were taken back; what is new since place
               t is told[t:].
    open:      asked and not closed, oldest first, as a set.
    in_flight: how many questions the session keeps open, or None where it waits for whole batches.
    parallel:  B_parallel where questions are in flight; a blocking session's is in the round.
    Getting any of them costs O(1).
    """

    __slots__ = ("_open", "_told", "in_flight", "labels", "parallel")

    def __init__(
        self,
        labels: Labels,
        told: Sequence[int],
        open: Mapping[int, None] | Collection[int],
        in_flight: int | None = None,
        parallel: int = 1,
    ) -> None:
        self.labels = _frozen(np.asarray(labels))
        self._told = told
        self._open = open.keys() if isinstance(open, Mapping) else open
        self.in_flight = in_flight
        self.parallel = parallel

    @property
    def told(self) -> Sequence[int]:
        """Indices in order of arrival."""
        return _Tail(self._told)

    @property
    def open(self) -> Collection[int]:
        """Indices asked and not closed."""
        return self._open


class _Tail(Sequence[int]):
    """A sequence that can be read and not written; equal to any sequence of the same items."""

    __slots__ = ("_items",)

    def __init__(self, items: Sequence[int]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, place: Any) -> Any:
        return self._items[place]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    def __repr__(self) -> str:
        return repr(list(self))


Plan = Generator[Index, Known, None]
"""Yields pool indices to ask; is sent what is `Known` when it is resumed.

Must bear that some of what it asked is still UNKNOWN. It may say why it asks: `plans.because(questions, why)`.
"""


@dataclass(frozen=True)
class Why:
    """Why a strategy asked: its name, what it was doing, for which class, and where in that class's order.

    phase: "search" (of a threshold), "cut" (between unlike neighbours), "threshold" (near one), "score" or "random".
    threshold: the place of the estimated threshold. low, high: the first and the last threshold still possible.
    place: where the example itself lay, from 1 on; of a pool of hundreds of thousands it may be left out, since to find
    it would cost a pass over the pool. What does not apply is None.
    """

    strategy: str
    phase: str
    class_: int | None = None
    threshold: int | None = None
    low: int | None = None
    high: int | None = None
    place: int | None = None


Strategy = Callable[[Round], Plan]


@dataclass(frozen=True)
class Entry:
    """A strategy in the registry: the function, what it reads of `Scores`, and its citation (BibTeX)."""

    strategy: Strategy
    needs: frozenset[str]
    cite: str


def whole_number(value: object, name: str, least: int) -> int:
    """`value` as an int that is at least `least`; UsageError otherwise."""
    if type(value) is int and value >= least:
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{name} is {value!r}; it must be a whole number of at least {least}.")
    return int(value)


def seconds_above_zero(value: object, name: str) -> float:
    """`value` as a float that is above 0 and finite; UsageError otherwise."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        with suppress(OverflowError):
            if 0 < (seconds := float(value)) < math.inf:
                return seconds
    raise UsageError(f"{name} is {value!r}; it must be a number of seconds above 0.")


def _frozen(array: NDArray[_T]) -> NDArray[_T]:
    view = array.view()
    view.flags.writeable = False
    return view
