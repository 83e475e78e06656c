"""The strategies by name, one short file each; nothing here trains a model or sees an untold label."""

from collections.abc import Mapping

from cutpoint.errors import no_such
from cutpoint.strategies import badge, bait, base, cluster_margin, coreset, direct, galaxy, random, similar, uncertainty
from cutpoint.types import Entry

_PROBS = frozenset({"probs"})

STRATEGIES: Mapping[str, Entry] = {
    "direct": Entry(direct.direct, _PROBS, direct.CITE),
    "galaxy": Entry(galaxy.galaxy, _PROBS, galaxy.CITE),
    "random": Entry(random.random, frozenset(), uncertainty.CITE_SURVEY),
    "confidence": Entry(uncertainty.confidence, _PROBS, uncertainty.CITE_SURVEY),
    "margin": Entry(uncertainty.margin, _PROBS, uncertainty.CITE_MARGIN),
    "entropy": Entry(uncertainty.entropy, _PROBS, uncertainty.CITE_SURVEY),
    "most_likely_positive": Entry(uncertainty.most_likely_positive, _PROBS, uncertainty.CITE_POSITIVE),
    "badge": Entry(badge.badge, frozenset({"probs", "embedding"}), badge.CITE),
    "bait": Entry(bait.bait, frozenset({"probs", "embedding"}), bait.CITE),
    "base": Entry(base.base, frozenset({"probs", "embedding", "head"}), base.CITE),
    "cluster_margin": Entry(cluster_margin.cluster_margin, frozenset({"probs", "embedding"}), cluster_margin.CITE),
    "similar": Entry(similar.similar, frozenset({"probs", "embedding"}), similar.CITE),
    "coreset": Entry(coreset.coreset, frozenset({"embedding"}), coreset.CITE),
}
"""Name -> Entry(strategy, needs, cite), names as in docs/strategies.md."""


def entry_of(name: str) -> Entry:
    """The strategy of a name; UsageError if there is none."""
    if name not in STRATEGIES:
        raise no_such("strategy", name, STRATEGIES)
    return STRATEGIES[name]
