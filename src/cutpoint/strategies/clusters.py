"""A clustering of the pool by its embedding: average linkage on a sample, the rest to the nearest centroid.

It is a function of the embedding alone: nothing is drawn, so it is the same in every round in which the embedding is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutpoint.core.blocks import BLOCK
from cutpoint.core.linkage import flat_clusters
from cutpoint.types import Index

Floats = NDArray[np.floating[Any]]
SAMPLE = 2000  # examples clustered whole: 0.2 s at 512 columns; both memory and time grow with the square
MEMBERS = 10  # examples of the sample to a cluster, on average


def clusters_of(embedding: Floats) -> Index:
    """(N,) which cluster each example of the pool is in, from 0; for `clustered_by`, once for a whole campaign.

    embedding: (N, D). O(SAMPLE^2 D) for the sample and one product of the embedding with the centroids.
    """
    return cluster_sample(embedding).assign(embedding, np.arange(len(embedding)))


@dataclass(frozen=True, eq=False)
class Clustering:
    """A clustered sample of a pool.

    sample: (s,) ascending pool indices; clusters: (s,) theirs; centroids: (C, D) the mean of each cluster.
    """

    sample: Index
    clusters: Index
    centroids: Floats

    def assign(self, embedding: Floats, items: Index) -> Index:
        """(m,) the clusters of these pool indices: their own in the sample, of the others the nearest centroid's.

        Of equally near centroids the first; ties within the rounding of the product may fall either way.
        """
        place = np.searchsorted(self.sample, items)
        place[place == len(self.sample)] = 0
        found = self.clusters[place] if len(items) else place
        others = np.flatnonzero(self.sample[place] != items) if len(items) else place
        origin = self.centroids.mean(axis=0)  # what all have in common would cost digits
        centroids = self.centroids - origin
        half_squares = np.einsum("ij,ij->i", centroids, centroids) / 2
        for first in range(0, len(others), BLOCK):
            some = others[first : first + BLOCK]
            rows = embedding[items[some]].astype(centroids.dtype, copy=False) - origin
            found[some] = (rows @ centroids.T - half_squares).argmax(axis=1)
        return found


def cluster_sample(embedding: Floats, size: int = SAMPLE, members: int = MEMBERS) -> Clustering:
    """Average linkage of `size` evenly spaced examples of the pool, or of all, cut to one cluster per `members`."""
    n = len(embedding)
    size = min(size, n)
    sample = np.arange(size) * n // max(size, 1)
    points = embedding[sample]
    clusters = flat_clusters(points, max(1, size // members))
    counts = np.bincount(clusters)
    totals = np.zeros((len(counts), embedding.shape[1]))
    np.add.at(totals, clusters, points)
    dtype = np.result_type(embedding.dtype, np.float32)
    return Clustering(sample, clusters, (totals / counts[:, None]).astype(dtype))
