"""The naive twins of the strategies that read the embedding or the head, each as its paper defines it.

Nothing here imports cutpoint, and nothing here is clever: gradients are written out as N x K x d numbers, Fisher
information as full K d x K d matrices that are inverted anew for every candidate, similarities as whole matrices, and
every greedy step looks at everybody. All of it in double precision. The twins follow the conventions of drawing (which
generator call is made, in which order) and of ties (to the lower pool index) of the strategies, so that both must
choose the same examples in the same order. `labels` is a list in pool order, -1 where unknown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naive import UNKNOWN, Probs, majority_class, margin_values, positive_values

Matrix = NDArray[np.float64]
Given = NDArray[np.floating[Any]]
INFINITE = math.inf


def free(labels: Sequence[int], held: Iterable[int]) -> list[int]:
    """What may be asked: neither labelled nor held, ascending."""
    kept_back = set(held)
    return [i for i, label in enumerate(labels) if label == UNKNOWN and i not in kept_back]


def first_best(values: Mapping[int, float]) -> int:
    """The key of the largest value, of equals the lowest."""
    return min(values, key=lambda i: (-values[i], i))


# --- badge ------------------------------------------------------------------------------------------------


def pull(probs: Probs, i: int, label: int) -> Matrix:
    """(K,) p - e_label, what the loss says to the last layer if the answer were `label`."""
    a = np.array([float(value) for value in probs[i]])
    a[label] -= 1
    return a


def gradients(probs: Probs, embedding: Given) -> Matrix:
    """(N, K, d) the last layer's gradient of every example under the class that the model predicts."""
    rows = [np.outer(pull(probs, i, int(np.argmax(probs[i]))), embedding[i].astype(float)) for i in range(len(probs))]
    return np.array(rows).reshape(len(probs), probs.shape[1], embedding.shape[1])


def nearest(g: Matrix, i: int, centres: Iterable[int]) -> float:
    """The squared distance of g_i to the nearest centre, 0 for a centre."""
    return min(0.0 if i == j else float(((g[i] - g[j]) ** 2).sum()) for j in centres)


def badge(
    probs: Probs, embedding: Given, labels: Sequence[int], held: Iterable[int], budget: int, seed: int
) -> list[int]:
    """k-means++ on the gradients written out: the first centre uniform, the next in proportion to D squared."""
    rng, unlabelled = np.random.default_rng(seed), free(labels, held)
    g = gradients(probs, embedding)
    chosen: list[int] = []
    while len(chosen) < min(budget, len(unlabelled)):
        left = [i for i in unlabelled if i not in chosen]
        distances = [nearest(g, i, chosen) if chosen else 0.0 for i in unlabelled]
        total = sum(distances)
        if total == 0:  # the first centre, or nothing is left that is not a centre already
            chosen.append(left[int(rng.integers(len(left)))])
            continue
        needle, passed = rng.random() * total, 0.0
        for i, distance in zip(unlabelled, distances, strict=True):
            passed += distance
            if passed > needle:
                chosen.append(i)
                break
    return chosen


# --- coreset ----------------------------------------------------------------------------------------------


def coreset(embedding: Given, labels: Sequence[int], held: Iterable[int], budget: int, seed: int) -> list[int]:
    """Whoever is furthest from all that is labelled or chosen; where there is nothing yet, anybody."""
    unlabelled, h = free(labels, held), embedding.astype(float)
    centres = [i for i, label in enumerate(labels) if label != UNKNOWN]
    chosen: list[int] = []
    while len(chosen) < min(budget, len(unlabelled)):
        if centres:
            chosen.append(first_best({i: nearest(h, i, centres) for i in unlabelled if i not in chosen}))
        else:
            chosen.append(unlabelled[int(np.random.default_rng(seed).integers(len(unlabelled)))])
        centres.append(chosen[-1])
    return chosen


# --- bait -------------------------------------------------------------------------------------------------


def fisher_root(p: Matrix, h: Matrix) -> Matrix:
    """V, (K, K d): row c is sqrt(p_c) (e_c - p) (x) h."""
    return np.array([np.kron(math.sqrt(p[c]) * (np.eye(len(p))[c] - p), h) for c in range(len(p))])


class Fisher:
    """What BAIT knows before it chooses: F of the pool, M of the labelled, and every V, scaled."""

    def __init__(self, probs: Probs, embedding: Given, labels: Sequence[int], size: int) -> None:
        roots = [fisher_root(p.astype(float), h.astype(float)) for p, h in zip(probs, embedding, strict=True)]
        width = probs.shape[1] * embedding.shape[1]
        labelled = [i for i, label in enumerate(labels) if label != UNKNOWN]
        nothing, n_labelled = np.zeros((width, width)), len(labelled)
        self.pool: Matrix = sum((v.T @ v for v in roots), nothing) / max(1, len(roots))
        known = sum((roots[i].T @ roots[i] for i in labelled), nothing) / max(1, n_labelled)
        self.start: Matrix = np.eye(width) + n_labelled / (n_labelled + size) * known
        self.roots = [math.sqrt(size / (n_labelled + size)) * v for v in roots]

    def with_all(self, chosen: Iterable[int]) -> Matrix:
        return sum((self.roots[i].T @ self.roots[i] for i in chosen), self.start)

    def objective(self, chosen: Iterable[int]) -> float:
        """tr(F M^-1) with `chosen` in M: what BAIT makes small."""
        return float(np.trace(self.pool @ np.linalg.inv(self.with_all(chosen))))

    def gain(self, i: int, chosen: Iterable[int]) -> float:
        """tr[V M^-1 F M^-1 V^T (I + V M^-1 V^T)^-1], by how much the objective falls when i is added."""
        v, inverse = self.roots[i], np.linalg.inv(self.with_all(chosen))
        small = np.linalg.inv(np.eye(len(v)) + v @ inverse @ v.T)
        return float(np.trace(v @ inverse @ self.pool @ inverse @ v.T @ small))


def bait(probs: Probs, embedding: Given, labels: Sequence[int], held: Iterable[int], budget: int) -> list[int]:
    """Forward greedy to twice the batch, then backward greedy to the batch; in the order of the way forward."""
    unlabelled = free(labels, held)
    size = min(budget, len(unlabelled))
    if size == 0:
        return []
    fisher = Fisher(probs, embedding, labels, size)
    chosen: list[int] = []
    while len(chosen) < min(2 * size, len(unlabelled)):
        chosen.append(first_best({i: fisher.gain(i, chosen) for i in unlabelled if i not in chosen}))
    while len(chosen) > size:
        without = {i: fisher.objective([j for j in chosen if j != i]) for i in chosen}
        chosen.remove(min(without, key=lambda i: (without[i], -i)))
    return chosen


# --- base -------------------------------------------------------------------------------------------------


def boundary_distances(p: Sequence[float], h: Matrix, head: Matrix) -> list[float]:
    """r_k: how far h is from the boundary between the predicted class and class k, infinite where there is none."""
    d, predicted = len(h), int(np.argmax(p))
    bias = [float(row[d]) if len(row) > d else 0.0 for row in head]
    distances = []
    for k in range(len(head)):
        across = head[predicted][:d] - head[k][:d]
        length = math.sqrt(sum(float(value) ** 2 for value in across))
        if k == predicted or -INFINITE in (bias[k], bias[predicted]) or length == 0:
            distances.append(INFINITE)
        else:
            distances.append(abs(float(across @ h) + bias[predicted] - bias[k]) / length)
    return distances


def class_distances(probs: Probs, embedding: Given, head: Given) -> list[list[float]]:
    """[c][i] = D_c(i): to the nearest boundary where c is predicted, else to the boundary with c."""
    predicted = [int(np.argmax(p)) for p in probs]
    r = [
        boundary_distances(list(p), h, head.astype(float)) for p, h in zip(probs, embedding.astype(float), strict=True)
    ]
    return [[min(r[i]) if predicted[i] == c else r[i][c] for i in range(len(r))] for c in range(len(head))]


def base_shares(head: Given, d: int, size: int) -> dict[int, int]:
    """How many each class takes; a class without labels, whose bias is -inf, takes none."""
    known = [c for c in range(len(head)) if head.shape[1] == d or head[c][d] != -INFINITE]
    return {c: size // len(known) + (place < size % len(known)) for place, c in enumerate(known)}


def base(
    probs: Probs, embedding: Given, head: Given, labels: Sequence[int], held: Iterable[int], budget: int
) -> list[int]:
    """Class by class, those nearest to its boundary that no class before it took."""
    unlabelled = free(labels, held)
    size = min(budget, len(unlabelled))
    distances = class_distances(probs, embedding, head)
    shares = base_shares(head, embedding.shape[1], size)
    if not shares:
        return unlabelled[:size]
    chosen: list[int] = []
    for c, share in shares.items():
        for _ in range(share):
            chosen.append(first_best({i: -distances[c][i] for i in unlabelled if i not in chosen}))
    return chosen


# --- cluster_margin ---------------------------------------------------------------------------------------


def average_linkage(embedding: Given, count: int) -> list[int]:
    """A cluster for every example: the two clusters nearest on average are joined until `count` are left."""
    h = embedding.astype(float)
    clusters = [[i] for i in range(len(h))]

    def apart(pair: tuple[int, int]) -> float:
        one, other = clusters[pair[0]], clusters[pair[1]]
        return float(np.mean([math.dist(h[i], h[j]) for i in one for j in other]))

    while len(clusters) > max(1, count):
        a, b = min(((a, b) for b in range(len(clusters)) for a in range(b)), key=apart)
        clusters[a] += clusters.pop(b)
    return [next(c for c, members in enumerate(clusters) if i in members) for i in range(len(h))]


def cluster_margin(
    probs: Probs, clusters: Sequence[int], labels: Sequence[int], held: Iterable[int], budget: int
) -> list[int]:
    """Of the ten times budget smallest margins, one from each cluster in turn, the smallest cluster first."""
    unlabelled, margins = free(labels, held), margin_values(probs)
    candidates = sorted(unlabelled, key=lambda i: (margins[i], i))[: 10 * budget]
    groups: dict[int, list[int]] = {}
    for i in candidates:  # the smallest margin comes first, in every group
        groups.setdefault(clusters[i], []).append(i)
    turns = sorted(groups.values(), key=lambda group: (len(group), margins[group[0]], group[0]))
    chosen: list[int] = []
    while len(chosen) < min(budget, len(unlabelled)):
        for group in turns:
            if group and len(chosen) < budget:
                chosen.append(group.pop(0))
    return chosen


# --- similar ----------------------------------------------------------------------------------------------


def cosine(one: Matrix, other: Matrix) -> float:
    """The cosine of two arrays of numbers, 0 where one has no length."""
    lengths = math.sqrt(float((one * one).sum())) * math.sqrt(float((other * other).sum()))
    return float((one * other).sum()) / lengths if lengths else 0.0


def queries(labels: Sequence[int], n_classes: int) -> list[int]:
    """Q: all labelled examples that are not of the majority class."""
    majority = majority_class(labels, n_classes)
    return [i for i, label in enumerate(labels) if label not in (UNKNOWN, majority)]


def similarities(probs: Probs, embedding: Given, labels: Sequence[int], unlabelled: Iterable[int]) -> Matrix:
    """(N, |Q|) cosines of the gradients of everybody unlabelled and every query; rows of others are 0."""
    h, g, asked = embedding.astype(float), gradients(probs, embedding), queries(labels, probs.shape[1])
    known = [np.outer(pull(probs, q, labels[q]), h[q]) for q in asked]
    table = np.zeros((len(probs), len(asked)))
    for i in unlabelled:
        table[i] = [cosine(g[i], gradient) for gradient in known]
    return table


def flqmi(s: Matrix, chosen: Sequence[int]) -> float:
    """sum_q max_a s(q, a) + sum_a max_q s(a, q) of a batch of one or more."""
    batch = s[list(chosen)]
    return float(batch.max(axis=0).sum() + batch.max(axis=1).sum())


def similar(probs: Probs, embedding: Given, labels: Sequence[int], held: Iterable[int], budget: int) -> list[int]:
    """Plain greedy on FLQMI; without a labelled minority, those least likely to be of the majority."""
    unlabelled = free(labels, held)
    size = min(budget, len(unlabelled))
    if not queries(labels, probs.shape[1]):
        values = positive_values(probs, labels)
        return sorted(unlabelled, key=lambda i: (values[i], i))[:size]
    s = similarities(probs, embedding, labels, unlabelled)
    chosen: list[int] = []
    while len(chosen) < size:
        chosen.append(first_best({i: flqmi(s, [*chosen, i]) for i in unlabelled if i not in chosen}))
    return chosen
