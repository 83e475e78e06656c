"""FMoW and iWildCam of WILDS, read from its folders: a table of metadata and picture files, decoded when asked for.

Pool and test are the parts that WILDS calls train and test; the test part is from later years (FMoW) or from other
cameras (iWildCam) than the pool. Its validation and in-distribution parts are not used. All pictures are brought to
224 x 224. The paper measures on the pool.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cutpoint.core.noise import group_classes
from cutpoint.data.captions import ENGLISH
from cutpoint.data.options import DataOptions
from cutpoint.data.pictures import Files, Pictures
from cutpoint.data.pool import Benchmark, Pool
from cutpoint.data.table_1 import as_in_table_1, check_pool_size
from cutpoint.data.unpack import is_inside
from cutpoint.errors import DataError, UsageError
from cutpoint.types import Labels

SIDE = 224
FMOW_FOLDER, FMOW_TABLE = "fmow_v1.1", "rgb_metadata.csv"
IWILDCAM_FOLDER, IWILDCAM_TABLE = "iwildcam_v2.0", "metadata.csv"
IWILDCAM_CLASSES = (*ENGLISH, "other")  # LabelBench clips the 182 species ids at 13
_ANEW = "move the folder away, and fetch the data set again."
_FMOW_VALIDATION, _FMOW_TEST = 2013, 2016  # first years of WILDS' split by time; the pool is what is older
# In the order of WILDS' ids, which is that of their names.
# fmt: off
FMOW_CLASSES = (
    "airport", "airport_hangar", "airport_terminal", "amusement_park", "aquaculture", "archaeological_site", "barn",
    "border_checkpoint", "burial_site", "car_dealership", "construction_site", "crop_field", "dam",
    "debris_or_rubble", "educational_institution", "electric_substation", "factory_or_powerplant", "fire_station",
    "flooded_road", "fountain", "gas_station", "golf_course", "ground_transportation_station", "helipad",
    "hospital", "impoverished_settlement", "interchange", "lake_or_pond", "lighthouse", "military_facility",
    "multi-unit_residential", "nuclear_powerplant", "office_building", "oil_or_gas_facility", "park",
    "parking_lot_or_garage", "place_of_worship", "police_station", "port", "prison", "race_track", "railway_bridge",
    "recreational_facility", "road_bridge", "runway", "shipyard", "shopping_mall", "single-unit_residential",
    "smokestack", "solar_farm", "space_facility", "stadium", "storage_tank", "surface_mine", "swimming_pool",
    "toll_booth", "tower", "tunnel_opening", "waste_disposal", "water_treatment_facility", "wind_farm", "zoo",
)
# fmt: on


class Example(NamedTuple):
    """One row of metadata that is used: "train" or "test", its class, its picture file."""

    part: str
    label: int
    file: str


def load_fmow(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """FMoW: satellite pictures of 62 kinds of places, 76 863 in the pool."""
    _refuse_number(name, n_classes)
    folder = options.find(name, FMOW_FOLDER)
    return _load(name, folder, fmow_examples(folder), "images", FMOW_CLASSES)


def load_iwildcam(name: str, n_classes: int | None, options: DataOptions) -> Benchmark:
    """iWildCam: pictures of camera traps, 129 809 in the pool; the first 13 species ids and all others."""
    _refuse_number(name, n_classes)
    folder = options.find(name, IWILDCAM_FOLDER)
    benchmark = _load(name, folder, iwildcam_examples(folder), "train", IWILDCAM_CLASSES)
    return replace(benchmark, note=" ".join(filter(None, (benchmark.note, _doubt(folder / "categories.csv")))))


def fmow_examples(folder: Path) -> list[Example]:
    """The pool and the test of WILDS' split by time; a picture's number is its row among all rows."""
    number = {category: k for k, category in enumerate(FMOW_CLASSES)}

    def example(row: Mapping[str, str], i: int) -> Example | None:
        year = int(row["timestamp"][:4])
        test = row["split"] == "test" and year >= _FMOW_TEST
        if not test and not (row["split"] == "train" and year < _FMOW_VALIDATION):
            return None
        return Example("test" if test else "train", number[row["category"]], f"rgb_img_{i}.png")

    return list(_examples(folder / FMOW_TABLE, ("split", "category", "timestamp"), example))


def iwildcam_examples(folder: Path) -> list[Example]:
    """The pool and the test of WILDS' split by camera; species ids as they are."""

    def example(row: Mapping[str, str], _i: int) -> Example | None:
        label = int(row["y"])
        if label < 0 or not row["filename"]:
            raise ValueError
        return Example(row["split"], label, row["filename"]) if row["split"] in ("train", "test") else None

    return list(_examples(folder / IWILDCAM_TABLE, ("split", "y", "filename"), example))


def _examples(
    path: Path, columns: tuple[str, ...], example: Callable[[Mapping[str, str], int], Example | None]
) -> Iterator[Example]:
    """What `example` makes of each row, read one by one; DataError, with its line, for a row that cannot be meant."""
    for i, row in enumerate(_rows(path, columns)):
        try:
            found = example(row, i)
        except (ValueError, KeyError):
            shown = ", ".join(f"{column} {row[column]!r}" for column in columns)
            raise DataError(
                f"row {i + 1} of {path} cannot be meant ({shown}); it is cut off or damaged: {_ANEW}"
            ) from None
        if found is not None:
            if not is_inside(found.file):
                raise DataError(
                    f"row {i + 1} of {path} names the picture {found.file!r}, which is outside of its folder; do not "
                    f"use this file: {_ANEW}"
                )
            yield found


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The named columns of a CSV file, row by row."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            missing = [column for column in columns if column not in header]
            if missing:
                raise DataError(f"{path} has no column {missing[0]}; it is not WILDS' table: {_ANEW}")
            places = [(column, header.index(column)) for column in columns]
            for fields in reader:
                if len(fields) != len(header):
                    raise DataError(
                        f"line {reader.line_num} of {path} has {len(fields)} columns and its head {len(header)}; it is "
                        f"cut off or damaged: {_ANEW}"
                    )
                yield {column: fields[place] for column, place in places}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path} cannot be read ({said}); {_ANEW}") from None


def _load(name: str, folder: Path, examples: list[Example], pictures: str, classes: tuple[str, ...]) -> Benchmark:
    parts = {part: [each for each in examples if each.part == part] for part in ("train", "test")}
    check_pool_size(name, len(parts["train"]), folder)
    for part, chosen in parts.items():
        if not chosen:
            raise DataError(f"{folder} has no examples of the part '{part}'; {_ANEW}")
    files = {part: Files(folder / pictures, [each.file for each in chosen]) for part, chosen in parts.items()}
    labels = {
        part: group_classes(np.array([each.label for each in chosen]), len(classes)) for part, chosen in parts.items()
    }
    benchmark = Benchmark(
        name=name,
        pool=Pool(Pictures(files["train"], SIDE, SIDE)),
        labels=labels["train"],
        test_features=Pictures(files["test"], SIDE, SIDE),
        test_labels=labels["test"],
        classes=classes,
        note=_note(name, labels["test"], classes),
        untested=True,
    )
    return as_in_table_1(benchmark, folder)


def _note(name: str, test_labels: Labels, classes: tuple[str, ...]) -> str:
    """What to say of classes that WILDS' test part has no example of."""
    absent = np.flatnonzero(np.bincount(test_labels, minlength=len(classes)) == 0)
    if not absent.size:
        return ""
    named = ", ".join(classes[k] for k in absent)
    return f"{name}: the test part has no example of {named}, so that measures of the test leave them out."


def _doubt(path: Path) -> str:
    """What to say where WILDS' list of species is not there or has other names; "" where it agrees.

    Nothing else depends on it: what the ids mean is known.
    """
    try:
        listed = {row["y"]: row["name"] for row in _rows(path, ("y", "name"))}
    except DataError:
        return f"{path} cannot be read; the species go by the names that WILDS gives their ids."
    for k, known in enumerate(ENGLISH):
        if (found := listed.get(str(k))) != known:
            return (
                f"{path} calls the species {k} {found!r} and not {known!r}; the species go by the names that WILDS "
                "gives their ids: see whether the labels are WILDS', too."
            )
    return ""


def _refuse_number(name: str, n_classes: int | None) -> None:
    if n_classes is not None:
        source = name.removesuffix(f"-{n_classes}")
        raise UsageError(f"there is no data set {name}; its classes are given: write {source}.")
