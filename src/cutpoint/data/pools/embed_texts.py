"""Texts as numbers without a model of language: TF-IDF of words and of pieces of words, then few dimensions.

Words and pairs of words say what a text is about; pieces of three to five characters bear spelling, endings and
scripts without spaces. What occurs where is learnt from a sample, so that a pool of any size is read as a stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from cutpoint.data.pool import Features
from cutpoint.data.pools.brought import Brought, Embedded, Progress, ignored
from cutpoint.errors import DataError
from cutpoint.words import count

DIMENSIONS = 256
SAMPLE = 20_000  # texts from which words and directions are learnt
TERMS = 30_000  # of each of both kinds, the most frequent
READ = 20_000  # characters of each text; a megabyte says no more about its subject than its beginning
_TOGETHER = 2_000


def embed_texts(pool: Brought, seed: int = 0, progress: Progress = ignored) -> Embedded:
    """(N, d) float32 features of the texts, d at most 256, each row of length 1; the same seed gives the same."""
    n = len(pool)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:SAMPLE])
    wanted = set(chosen.tolist())
    progress("learning words", 0, n)
    sample = [text for i, text in enumerate(_texts(pool)) if i in wanted]
    terms, svd = _learn(sample, seed)
    features = np.empty((n, svd.n_components), np.float32)
    done = 0
    for batch in _batches(_texts(pool), _TOGETHER):
        features[done : done + len(batch)] = _unit(svd.transform(terms.transform(batch)))
        done += len(batch)
        progress("embedding texts", done, n)
    made = "TF-IDF of words, pairs of words and pieces of 3 to 5 characters"
    return Embedded(features, f"{made}, reduced to {count(features.shape[1], 'dimension')}")


def _texts(pool: Brought) -> Iterator[str]:
    for content in pool.contents():
        yield content["text"][:READ]


def _batches(texts: Iterator[str], size: int) -> Iterable[list[str]]:
    while batch := list(islice(texts, size)):
        yield batch


def _learn(sample: list[str], seed: int) -> tuple[Any, Any]:
    """What turns texts into TF-IDF, and that into few dimensions; learnt from the sample."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    shared: dict[str, Any] = {
        "sublinear_tf": True,
        "max_features": TERMS,
        "min_df": 2 if len(sample) >= 200 else 1,
        "dtype": np.float32,
    }
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **shared)
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)
    terms = FeatureUnion([("words", words), ("pieces", pieces)])
    try:
        table = terms.fit_transform(sample)
    except ValueError:  # an empty vocabulary
        raise DataError(
            "the texts have no words in common to tell them apart by; give features of your own with --embeddings."
        ) from None
    dimensions = max(1, min(DIMENSIONS, table.shape[0], table.shape[1] - 1))
    with np.errstate(invalid="ignore", divide="ignore"):  # of texts that are all alike, it explains none of no variance
        return terms, TruncatedSVD(dimensions, random_state=seed).fit(table)


def _unit(rows: Any) -> Features:
    """The rows with length 1; a row of zeros (a text without a known word) stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), np.float32)
