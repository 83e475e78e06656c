"""What one would write below a picture of each class: what an encoder of text and pictures knows a class by.

The sentences for FMoW and iWildCam are those in use for CLIP on these sets (Wortsman et al. 2022); for every other set,
OpenAI's plain one. LabelBench has the same for FMoW; its own for iWildCam were not found. The species of iWildCam go by
their English names.
"""

from __future__ import annotations

from collections.abc import Mapping

from cutpoint.data.pool import Benchmark

Captions = tuple[tuple[str, ...], ...]

_VIEWS = ("satellite", "aerial")
_PLACES = ("asia", "africa", "the americas", "europe", "oceania")
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "fmow": (
        *(f"{view} photo of {thing}." for thing in ("a {name}", "{a name}") for view in _VIEWS),
        *(f"{view} photo of a {{name}} in {place}." for place in _PLACES for view in _VIEWS),
        "a photo of a {name}.",
        "{name}.",
    ),
    "iwildcam": ("a photo of {name}.", "{name} in the wild."),
}
PLAIN = ("a photo of {a name}.",)
ENGLISH: Mapping[str, str] = {
    "empty": "empty",
    "tayassu pecari": "white-lipped peccary",
    "dasyprocta punctata": "central american agouti",
    "cuniculus paca": "lowland paca",
    "puma concolor": "puma",
    "tapirus terrestris": "lowland tapir",
    "pecari tajacu": "collared peccary",
    "mazama americana": "red brocket",
    "leopardus pardalis": "ocelot",
    "geotrygon montana": "ruddy quail-dove",
    "nasua nasua": "south american coati",
    "dasypus novemcinctus": "nine-banded armadillo",
    "eira barbara": "tayra",
}
"""The first species of iWildCam in the order of WILDS' ids, and what people call them."""


def captions(benchmark: Benchmark) -> Captions:
    """For each class of the data set, in their order, what one would write below a picture of it."""
    templates = TEMPLATES.get(benchmark.name, PLAIN)
    return tuple(tuple(_filled(template, name) for template in templates) for name in benchmark.classes)


def _filled(template: str, name: str) -> str:
    """The template with the name of a class as people say it, and with its article where it asks for one."""
    said = ENGLISH.get(name, name).replace("_", " ")
    article = "an" if said[:1].lower() in "aeiou" else "a"
    return template.replace("{a name}", f"{article} {said}").replace("{name}", said)
