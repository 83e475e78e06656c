"""Small files in the published formats of the paper's data sets, for tests: written here, nothing is fetched."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cutpoint.data import table_1
from cutpoint.data.table_1 import Row

CIFAR10_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def shrink(monkeypatch: pytest.MonkeyPatch, **rows: Row) -> None:
    """Replace rows of Table 1 (`imb_cifar10_2=Row(...)`): the sets of the tests are smaller."""
    for name, row in rows.items():
        monkeypatch.setitem(table_1.TABLE_1, name.replace("_", "-"), row)


def pictures(n: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random pictures (n, side, side, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def cifar_rows(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (n, 32, 32, 3) as CIFAR stores them: rows (n, 3072), all red values first."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2).reshape(len(images), -1))


def python_2_pickle(part: dict[str, Any]) -> bytes:
    """A dict pickled as Python 2 with protocol 2 did it, in which text is bytes and numpy's modules have old names."""
    return b"\x80\x02" + _python_2(part) + b"."


def _python_2(value: Any) -> bytes:
    """The opcodes that put a value on the stack."""
    if isinstance(value, str | bytes):
        raw = value.encode("latin1") if isinstance(value, str) else value
        return b"T" + struct.pack("<i", len(raw)) + raw
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if value is None:
        return b"N"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_python_2, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(_python_2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(_python_2(each) for pair in value.items() for each in pair) + b"u"
    assert isinstance(value, np.ndarray)
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + _python_2((0,)) + _python_2("b") + b"tR"
    kind = b"cnumpy\ndtype\n" + _python_2((value.dtype.str[1:], 0, 1)) + b"R"
    kind += _python_2((3, value.dtype.str[0], None, None, None, -1, -1, 0)) + b"b"
    state = b"(" + _python_2(1) + _python_2(value.shape) + kind + _python_2(False) + _python_2(value.tobytes()) + b"t"
    return array + state + b"b"


def cifar10_parts(n_train: int = 40, n_test: int = 20, dump: Any = python_2_pickle) -> dict[str, bytes]:
    """The files of a small CIFAR-10 by name: labels run 0, 1, ..., 9, 0, ... in train and test alike."""
    batches = np.array_split(np.arange(n_train), 5)
    parts = {
        f"data_batch_{k}": dump(_batch(rows, f"training batch {k} of 5")) for k, rows in enumerate(batches, start=1)
    }
    parts["test_batch"] = dump(_batch(np.arange(n_test), "testing batch 1 of 1", seed=1))
    parts["batches.meta"] = dump({"num_cases_per_batch": n_train // 5, "label_names": CIFAR10_NAMES, "num_vis": 3072})
    return parts


def _batch(rows: NDArray[np.intp], label: str, seed: int = 0) -> dict[str, Any]:
    images = pictures(int(rows.max()) + 1, 32, seed)[rows]
    return {
        "batch_label": label,
        "labels": [int(i) % 10 for i in rows],
        "data": cifar_rows(images),
        "filenames": [f"picture_{i}.png" for i in rows],
    }


def cifar100_parts(n_train: int = 200, n_test: int = 100, dump: Any = python_2_pickle) -> dict[str, bytes]:
    """The files of a small CIFAR-100 by name: fine labels run 0, 1, ..., 99, 0, ..."""

    def split(n: int, seed: int) -> bytes:
        fine = [i % 100 for i in range(n)]
        rows = cifar_rows(pictures(n, 32, seed))
        return bytes(dump({"fine_labels": fine, "coarse_labels": [i // 5 for i in fine], "data": rows}))

    names = [f"thing {k}" for k in range(100)]
    return {"train": split(n_train, 0), "test": split(n_test, 1), "meta": dump({"fine_label_names": names})}


def tar_gz(path: Path, members: dict[str, bytes]) -> Path:
    """Write an archive of these files."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def cifar10_archive(root: Path, **sizes: int) -> Path:
    """Write the archive of a small CIFAR-10 into a data root."""
    parts = {f"cifar-10-batches-py/{name}": data for name, data in cifar10_parts(**sizes).items()}
    return tar_gz(root / "cifar-10-python.tar.gz", parts)


def plain_pickle(part: dict[str, Any]) -> bytes:
    """The same with today's Python, protocol and numpy."""
    return pickle.dumps(part)


def cifar100_archive(root: Path, **sizes: int) -> Path:
    """Write the archive of a small CIFAR-100 into a data root."""
    parts = {f"cifar-100-python/{name}": data for name, data in cifar100_parts(**sizes).items()}
    return tar_gz(root / "cifar-100-python.tar.gz", parts)


def svhn_files(root: Path, n_train: int = 30, n_test: int = 20) -> None:
    """Write both files of a small SVHN: digits run 1, 2, ..., 9, 0, 1, ..., and 0 is stored as 10."""
    from scipy.io import savemat

    for part, n in (("train", n_train), ("test", n_test)):
        images = pictures(n, 32, seed=n).transpose(1, 2, 3, 0)
        labels = np.arange(n, dtype=np.uint8)[:, None] % 10 + 1
        savemat(root / f"{part}_32x32.mat", {"X": images, "y": labels}, do_compression=True)


def pathmnist_file(root: Path, n_train: int = 45, n_test: int = 18) -> Path:
    """Write a small PathMNIST: labels run 0, 1, ..., 8, 0, ... in the three parts."""
    arrays: dict[str, NDArray[Any]] = {}
    for part, n in (("train", n_train), ("val", 9), ("test", n_test)):
        arrays[f"{part}_images"] = pictures(n, 28, seed=n)
        arrays[f"{part}_labels"] = np.arange(n, dtype=np.uint8)[:, None] % 9
    path = root / "pathmnist.npz"
    np.savez_compressed(path, allow_pickle=True, **arrays)
    return path


def encoded(image: NDArray[np.uint8], form: str = "PNG") -> bytes:
    """A picture file."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, form)
    return stream.getvalue()


def fmow_files(n_classes: int = 62, side: int = 16) -> dict[str, bytes]:
    """The files of a small FMoW by name: of each class one row for the pool, one for the test, two for neither."""
    from cutpoint.data.wilds import FMOW_CLASSES

    files = {"country_code_mapping.csv": b"name,alpha-3,region\nNowhere,NWH,Other\n"}
    lines = ["split,img_filename,category,timestamp,country_code"]
    for k, category in enumerate(FMOW_CLASSES[:n_classes]):
        rows = (("val", 2014), ("train", 2012), ("seq", 2010), ("test", 2016))
        for i, (split, year) in enumerate(rows, start=4 * k):
            lines.append(f'{split},"{category}, {i}.jpg",{category},{year}-07-01T10:00:00Z,NWH')
            if split in ("train", "test"):
                files[f"images/rgb_img_{i}.png"] = encoded(pictures(1, side, seed=i)[0])
    return files | {"rgb_metadata.csv": "\n".join(lines).encode()}


def iwildcam_files(pool: int = 32, test: int = 16) -> dict[str, bytes]:
    """The files of a small iWildCam by name: species ids run 0, 1, ..., 15, 0, ... in the pool and in the test."""
    from cutpoint.data.captions import ENGLISH

    names = [*ENGLISH, "a thirteenth", "a fourteenth", "a fifteenth"]
    categories = ["y,category_id,name", *(f"{k},{10 * k},{name}" for k, name in enumerate(names))]
    files = {"categories.csv": "\n".join(categories).encode()}
    lines = ["split,location_remapped,y,filename"]
    for part, n in (("train", pool), ("val", 2), ("test", test)):
        for i in range(n):
            lines.append(f"{part},3,{i % 16},{part}-{i}.jpg")
            image = pictures(1, 30, seed=i)[0][: 20 + i % 5]  # not square, not all of one size
            files[f"train/{part}-{i}.jpg"] = encoded(image, "JPEG")
    return files | {"metadata.csv": "\n".join(lines).encode()}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder, and say where it is."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
