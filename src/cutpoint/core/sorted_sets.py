"""Small changes to an ascending array of distinct numbers, in O(n): no sort, no hash."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cutpoint.types import Index


def added(members: Index, new: Index) -> Index:
    """`members` (ascending, distinct) together with `new` (in any order, repeats allowed)."""
    new = np.sort(new)
    new = new[np.append(True, new[1:] != new[:-1])[: len(new)]]
    places = np.searchsorted(members, new)
    fresh = ~_present(members, new, places)
    return np.insert(members, places[fresh], new[fresh])


def removed(members: Index, gone: Index) -> Index:
    """`members` (ascending, distinct) without those in `gone`."""
    places = np.searchsorted(members, gone)
    return np.delete(members, places[_present(members, gone, places)])


def nth_free(members: Index, n: Index | int) -> Index:
    """The n-th (from 0) natural numbers that are not among `members` (ascending, distinct)."""
    return n + np.searchsorted(members - np.arange(len(members)), n, "right")


def _present(members: Index, values: Index, places: Index) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = np.append(members, -1)[places] == values
    return present
