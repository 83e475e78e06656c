"""A clustering of the pool by its embedding: average linkage on a sample, the rest to the nearest centroid.

It is a function of the embedding alone: nothing is drawn, so it is the same in every round in which the embedding is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.checks import check_finite, floating
from cutpoint.errors import UsageError
from cutpoint.types import Index, whole_number

Floats = NDArray[np.floating[Any]]
SAMPLE = 2000
"""Examples that are clustered whole; time and memory grow with the square. 2000 of 512 columns take 0.2 s and 32 MB.

4000 took four times that and chose no better (CIFAR-10 features, 8 seeds: balanced accuracy 0.802 +- 0.005, and 0.805).
"""
MEMBERS = 10
"""Examples of the sample to a cluster, on average.

So there are at most SAMPLE / 10 = 200 clusters, whatever the budget: up to 200 questions can each come from a cluster
of its own, and with more the clusters have several turns. Citovsky et al. leave the height of the cut open; public code
takes a height, or 1.25 members. Settings were compared on digits and also on two sets of the preset
`features`. None is best everywhere: 1.25 on ten balanced digits (balanced accuracy 0.860 +- 0.004 against 0.839), 10 on
HAM10000 (0.395 +- 0.009 against 0.378), no difference on three classes of CIFAR-10 features (6 to 16 seeds, logistic
regression).
"""
ROWS = 1024  # converted to double precision at one time
FAR = 2.0**500  # times the largest number of the sample: what is larger counts as this, and no product overflows


def clusters_of(embedding: Floats, *, sample: int = SAMPLE, members: float = MEMBERS) -> Index:
    """(N,) which cluster each example of the pool is in, from 0; for `clustered_by`, once for a whole campaign.

    embedding: (N, D), finite. sample: how many evenly spaced examples are clustered whole; members: how many of them
    make a cluster, on average. O(sample^2 D), and one product of the embedding with the centroids.
    UsageError where the embedding is not a table of finite numbers, or `sample` or `members` is below 1.
    """
    embedding = floating(embedding, "embedding")
    if embedding.ndim != 2:
        raise UsageError(f"embedding has shape {embedding.shape}; it must be (N, D): one row per example of the pool.")
    check_finite(embedding, "embedding")
    return cluster_sample(embedding, sample, members).assign(embedding, np.arange(len(embedding)))


@dataclass(frozen=True, eq=False)
class Clustering:
    """A clustered sample of a pool.

    sample: (s,) ascending pool indices; clusters: (s,) theirs; centroids: (C, D) the mean of each cluster, in double
    precision and in units of 2 ** exponent, so that the sample's largest number is about 1.
    """

    sample: Index
    clusters: Index
    centroids: NDArray[np.float64]
    exponent: int

    def assign(self, embedding: Floats, items: Index) -> Index:
        """(m,) the clusters of these pool indices: their own in the sample, of the others the nearest centroid's.

        Of equally near centroids the first, as far as the rounding of a product can tell.
        """
        place = np.minimum(np.searchsorted(self.sample, items), len(self.sample) - 1)
        found = self.clusters[place]
        others = np.flatnonzero(self.sample[place] != items)
        if not len(others):
            return found
        origin = self.centroids.mean(axis=0)  # what all have in common would cost digits
        centroids = self.centroids - origin
        half_squares = np.einsum("ij,ij->i", centroids, centroids) / 2
        for first in range(0, len(others), ROWS):
            some = others[first : first + ROWS]
            rows = _scaled(embedding[items[some]], self.exponent) - origin
            found[some] = (rows @ centroids.T - half_squares).argmax(axis=1)
        return found


def cluster_sample(embedding: Floats, sample: int = SAMPLE, members: float = MEMBERS) -> Clustering:
    """Average linkage of `sample` evenly spaced examples of the pool, or of all, cut to one cluster per `members`."""
    if not members >= 1:
        raise UsageError(f"members is {members}; it must be 1 or more: examples to a cluster, on average.")
    n = len(embedding)
    size = min(whole_number(sample, "sample", 1), n)
    items = np.arange(size) * n // max(size, 1)
    exponent = int(np.frexp(np.abs(embedding[items]).max(initial=0))[1])
    points = _scaled(embedding[items], exponent)
    clusters = flat_clusters(points, max(1, int(size // members)))
    by_cluster = np.argsort(clusters, kind="stable")
    counts = np.bincount(clusters)
    totals = np.add.reduceat(points[by_cluster], np.cumsum(counts) - counts, axis=0)
    return Clustering(items, clusters, totals / counts[:, None], exponent)


@np.errstate(over="ignore")
def _scaled(rows: Floats, exponent: int) -> NDArray[np.float64]:
    """These rows in double precision and units of 2 ** exponent: a power of two, which rounds nothing."""
    scaled = np.ldexp(rows.astype(np.float64), -exponent)
    return np.clip(scaled, -FAR, FAR, out=scaled)


def flat_clusters(points: Floats, n_clusters: int) -> Index:
    """(n,) which of at most `n_clusters` clusters each point is in, from 0, in the order of their first points.

    points: (n, D). Groups equally far apart are joined together, so there may be fewer clusters than asked for.
    """
    if len(points) < 2:
        return np.zeros(len(points), np.intp)
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    distances = pdist(points.astype(np.float64))  # given points, linkage warns of those that look like distances
    found = fcluster(linkage(distances, "average"), n_clusters, "maxclust")
    _, first, member_of = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[member_of].astype(np.intp)
