"""Where the paper's data sets are published: addresses, sizes, checksums and terms.

The checksums (md5) of CIFAR and SVHN are those that torchvision compares with, that of PathMNIST is MedMNIST's own.
WILDS publishes none, and its sizes are only about right: of FMoW and iWildCam the checksum inside the archive, the
pictures that the tables name, and Table 1 are compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cutpoint.data import cifar, medmnist, svhn, wilds
from cutpoint.data.whole import has_all
from cutpoint.errors import UsageError


@dataclass(frozen=True)
class Remote:
    """A file to fetch: its name in the data root, its address, and how it is recognised.

    `size` in bytes; `md5` in hex, None where nobody publishes one, and then the size is only about right; `ranges`:
    False where the server is known to give it in one piece only, so that a download is never gone on with.
    """

    name: str
    url: str
    size: int
    md5: str | None = None
    ranges: bool = True


@dataclass(frozen=True)
class Source:
    """What several data sets may be made from.

    `folder`: what it is once unpacked; `table`: a file in it by which the folder is recognised; `unpacked`: bytes that
    the folder takes if it must be unpacked to be read, else 0; `members`: md5 of the folder's files, all of them.
    """

    title: str
    terms: str
    page: str
    files: tuple[Remote, ...]
    folder: str | None = None
    table: str | None = None
    unpacked: int = 0
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(file.size for file in self.files)

    @property
    def in_one_piece(self) -> tuple[Remote, ...]:
        """The files that an interrupted download begins anew with."""
        return tuple(file for file in self.files if not file.ranges)

    @property
    def kept(self) -> tuple[str, ...]:
        """What stands in the data root once it is fetched."""
        return (self.folder,) if self.unpacked and self.folder else tuple(file.name for file in self.files)

    def is_unpacked(self, root: Path) -> bool:
        """True if the data root has its folder whole."""
        if self.folder is None or self.table is None:
            return False
        return has_all(root / self.folder, (self.table, *self.members))

    def is_here(self, root: Path | None) -> bool:
        """True if the data root has its folder whole, or its files where they can be read packed."""
        if root is None:
            return False
        if self.is_unpacked(root):
            return True
        return not self.unpacked and all((root / file.name).is_file() for file in self.files)


_TORONTO = "https://www.cs.toronto.edu/~kriz/"
_STANFORD = "http://ufldl.stanford.edu/housenumbers/"
_CODALAB = "https://worksheets.codalab.org/rest/bundles/{}/contents/blob/"  # a folder, packed while it is sent

SOURCES: dict[str, Source] = {
    "imb-cifar10": Source(
        title="CIFAR-10",
        terms="none stated; cite it",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        files=(
            Remote(
                cifar.CIFAR10.archive,
                f"{_TORONTO}{cifar.CIFAR10.archive}",
                170_498_071,
                "c58f30108f718f92721af3b95e74349a",
            ),
        ),
        folder=cifar.CIFAR10.folder,
        table=cifar.CIFAR10.meta,
        members={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    "imb-cifar100": Source(
        title="CIFAR-100",
        terms="none stated; cite it",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        files=(
            Remote(
                cifar.CIFAR100.archive,
                f"{_TORONTO}{cifar.CIFAR100.archive}",
                169_001_437,
                "eb9058c3a382ffc7106e4002c42a8d85",
            ),
        ),
        folder=cifar.CIFAR100.folder,
        table=cifar.CIFAR100.meta,
        members={
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
    ),
    "imb-svhn": Source(
        title="SVHN",
        terms="non-commercial use",
        page="http://ufldl.stanford.edu/housenumbers/",
        files=(
            Remote(svhn.TRAIN, f"{_STANFORD}{svhn.TRAIN}", 182_040_794, "e26dedcc434d2e4c54c9b2d4a06d8373"),
            Remote(svhn.TEST, f"{_STANFORD}{svhn.TEST}", 64_275_384, "eb5a983be6a315427106f1b164d9cef3"),
        ),
    ),
    "pathmnist": Source(
        title="PathMNIST",
        terms="CC BY 4.0",
        page="https://medmnist.com",
        files=(
            Remote(
                medmnist.FILE,
                f"https://zenodo.org/records/10519652/files/{medmnist.FILE}?download=1",
                205_615_438,
                "a8b06965200029087d5bd730944a56c1",
            ),
        ),
    ),
    "fmow": Source(
        title="FMoW-WILDS 1.1",
        terms="FMoW Challenge Public License",
        page="https://wilds.stanford.edu/datasets/",
        files=(
            Remote(
                "fmow_v1.1.tar.gz",
                _CODALAB.format("0xaec91eb7c9d548ebb15e1b5e60f966ab"),
                53_893_324_800,
                ranges=False,
            ),
        ),
        folder=wilds.FMOW_FOLDER,
        table=wilds.FMOW_TABLE,
        unpacked=55_000_000_000,
    ),
    "iwildcam": Source(
        title="iWildCam2020-WILDS 2.0",
        terms="CDLA-Permissive-1.0",
        page="https://wilds.stanford.edu/datasets/",
        files=(
            Remote(
                "iwildcam_v2.0.tar.gz",
                _CODALAB.format("0x6313da2b204647e79a14b468131fcd64"),
                11_957_420_032,
                ranges=False,
            ),
        ),
        folder=wilds.IWILDCAM_FOLDER,
        table=wilds.IWILDCAM_TABLE,
        unpacked=25_000_000_000,
    ),
}


def source_for(data_set: str) -> Source:
    """Where a data set comes from, named with or without its number of classes; UsageError if nowhere."""
    key = re.sub(r"-\d+$", "", data_set)
    if key not in SOURCES:
        raise UsageError(f"no address is known of a data set '{data_set}'; choose one of {', '.join(SOURCES)}.")
    return SOURCES[key]
