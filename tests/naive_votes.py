"""The model of Dawid and Skene as their paper states it, in loops: the twin of `core/votes.py: dawid_skene`.

Equation numbers are those of Applied Statistics 28 (1979). T[i][j] is the probability that example i is of class j,
p[j] the share of class j, pi[k][j][l] the probability that annotator k says l when j is true.
"""

from __future__ import annotations

import math

Vote = tuple[int, int, int]
Prior = tuple[float, float]  # trust and smoothing
Estimates = tuple[list[list[float]], list[float], list[list[list[float]]]]

# Table 1 of the paper: what five anaesthetists said of the fitness of 45 patients, the first of them three times.
PATIENTS = """
111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3|232 2 2 2 3
444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1|222 2 2 2 1|222 1 3 2 2
222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2|111 1 1 1 1|111 1 1 1 1|112 1 1 2 1
111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3|221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1
111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
"""


def patients() -> list[Vote]:
    """The paper's votes: patient, anaesthetist and class (from 0) of each."""
    rows = [row for line in PATIENTS.strip().splitlines() for row in line.split("|")]
    return [(i, k, int(said) - 1) for i, row in enumerate(rows) for k, many in enumerate(row.split()) for said in many]


def shares(counts: list[float]) -> list[float]:
    total = sum(counts)
    return [count / total if total > 0 else 1 / len(counts) for count in counts]


def m_step(votes: list[Vote], T: list[list[float]], m: int, prior: Prior) -> Estimates:
    """(2.3) and (2.4): what the shares are if T is right; each count has what is believed before the first vote."""
    trust, smoothing = prior
    K = len(T[0])
    voted = {i for i, _, _ in votes}
    p = shares([sum(T[i][j] for i in voted) + trust + smoothing for j in range(K)])
    pi = []
    for k in range(m):
        counts = [[smoothing + trust * (j == said) for said in range(K)] for j in range(K)]
        for i, who, said in votes:
            for j in range(K):
                counts[j][said] += T[i][j] * (who == k)
        pi.append([shares(row) for row in counts])
    return T, p, pi


def e_step(votes: list[Vote], p: list[float], pi: list[list[list[float]]], n: int) -> list[list[float]]:
    """(2.5): what the classes are if the shares are right."""
    T = []
    for i in range(n):
        product = list(p)
        for item, k, said in votes:
            if item == i:
                product = [product[j] * pi[k][j][said] for j in range(len(p))]
        T.append(shares(product))
    return T


def estimates(votes: list[Vote], shape: tuple[int, int, int], prior: Prior, steps: int) -> Estimates:
    """So many steps of EM from the shares of the votes on each example; examples without votes get the prior."""
    n, m, K = shape
    T = [shares([float(votes_on(votes, i).count(j)) for j in range(K)]) for i in range(n)]
    T, p, pi = m_step(votes, T, m, prior)
    for _ in range(steps):
        T, p, pi = m_step(votes, e_step(votes, p, pi, n), m, prior)
    return [T[i] if votes_on(votes, i) else p for i in range(n)], p, pi


def votes_on(votes: list[Vote], i: int) -> list[int]:
    """What was said of an example."""
    return [said for item, _, said in votes if item == i]


def height(votes: list[Vote], p: list[float], pi: list[list[list[float]]], prior: Prior) -> float:
    """What EM raises with every step: the log likelihood, and the log density of Dirichlet priors with these counts."""
    trust, smoothing = prior
    total = 0.0
    for i in {item for item, _, _ in votes}:
        of = [(k, said) for item, k, said in votes if item == i]
        total += math.log(sum(p[j] * math.prod(pi[k][j][said] for k, said in of) for j in range(len(p))))
    for j, share in enumerate(p):
        total += (trust + smoothing) * math.log(share) if trust + smoothing else 0.0
        for rows in pi:
            weights = [smoothing + trust * (j == said) for said in range(len(p))]
            total += sum(w * math.log(cell) for w, cell in zip(weights, rows[j], strict=True) if w)
    return total
