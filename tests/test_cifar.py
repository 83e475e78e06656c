"""CIFAR's archives and folders as published, whole, damaged and hostile; and Table 1."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint.data import DataOptions, load_benchmark
from cutpoint.data.pickles import read_plain_pickle
from cutpoint.data.table_1 import TABLE_1, Row
from cutpoint.errors import CutpointError, DataError
from toy_sets import (
    CIFAR10_NAMES,
    cifar10_archive,
    cifar10_parts,
    cifar100_archive,
    cifar_rows,
    pictures,
    plain_pickle,
    put,
    python_2_pickle,
    shrink,
    tar_gz,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Table 1 for the small sets."""
    monkeypatch.delenv("CUTPOINT_DATA", raising=False)
    shrink(
        monkeypatch,
        imb_cifar10_2=Row(40, 2, ".1111", (4, 36), 20),
        imb_cifar10_3=Row(40, 3, ".1250", (4, 4, 32), 20),
        imb_cifar100_2=Row(200, 2, ".0101", (2, 198), 100),
        imb_cifar100_10=Row(200, 10, ".0110", (*[2] * 9, 182), 100),
    )


@pytest.mark.parametrize("dump", [python_2_pickle, plain_pickle], ids=["python 2", "today's"])
@pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
def test_cifar10_is_read_from_its_archive_and_from_its_folder(
    tmp_path: Path, packed: bool, dump: Callable[[dict[str, Any]], bytes]
) -> None:
    parts = {f"cifar-10-batches-py/{name}": data for name, data in cifar10_parts(dump=dump).items()}
    if packed:
        tar_gz(tmp_path / "cifar-10-python.tar.gz", parts)
    else:
        put(tmp_path, parts)
    benchmark = load_benchmark("imb-cifar10-3", DataOptions(root=tmp_path))
    assert benchmark.name == "imb-cifar10-3"
    assert benchmark.classes == ("airplane", "automobile", "other")
    assert np.array_equal(benchmark.pool.features, pictures(40, 32))
    assert np.array_equal(benchmark.test_features, pictures(20, 32, seed=1))
    assert np.array_equal(benchmark.labels, np.minimum(np.arange(40) % 10, 2))
    assert np.array_equal(benchmark.test_labels, np.minimum(np.arange(20) % 10, 2))


def test_cifar100_uses_its_fine_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cifar100_archive(tmp_path)
    monkeypatch.setenv("CUTPOINT_DATA", str(tmp_path))
    benchmark = load_benchmark("imb-cifar100-10")
    assert benchmark.classes == (*(f"thing {k}" for k in range(9)), "other")
    assert np.array_equal(benchmark.labels, np.minimum(np.arange(200) % 100, 9))
    assert load_benchmark("imb-cifar100-2").pool.features.shape == (200, 32, 32, 3)
    assert load_benchmark("imb-cifar100-5").n_classes == 5  # not in Table 1, so nothing is compared


def test_table_1_is_as_printed_with_two_corrections() -> None:
    """Without the small rows: gamma follows from the counts, and N is their sum."""
    whole = {name: row for name, row in TABLE_1.items() if row.pool > 1000}
    for row in whole.values():
        if row.counts is not None:
            assert sum(row.counts) == row.pool
            assert len(row.counts) == row.classes
            assert f"{min(row.counts) / max(row.counts):.4f}" == f"0{row.gamma}"
    printed = {"imb-svhn-2": ".0724", "imb-svhn-3": ".0909", "pathmnist-2": ".1166", "fmow": ".0049"}
    assert {name: whole[name].gamma for name in printed} == printed
    assert float(TABLE_1["iwildcam"].gamma) == 4.57e-5


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Row(50, 2, ".1111"), "40 examples in the pool; Table 1 of the paper has 50"),
        (Row(40, 3, ".1111"), "2 classes; Table 1 of the paper has 3"),
        (Row(40, 2, ".1111", (5, 35)), "4/36 examples per class; Table 1 of the paper has 5/35"),
        (Row(40, 2, ".1111", (4, 36), 30), "20 test examples; Table 1 of the paper has 30"),
        (Row(40, 2, ".1250"), r"the imbalance ratio 0\.111; Table 1 of the paper has \.1250"),
    ],
)
def test_another_set_than_that_of_table_1_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: Row, said: str
) -> None:
    path = cifar10_archive(tmp_path)
    shrink(monkeypatch, imb_cifar10_2=row)
    with pytest.raises(DataError, match=rf"{path} gives imb-cifar10-2 with {said}: it is another set"):
        load_benchmark("imb-cifar10-2", DataOptions(root=tmp_path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imb-cifar10", "says no number of classes; write imb-cifar10-2, or imb-cifar10-K with K from 2 to 10"),
        ("imb-cifar10-1", "asks for 1 classes; write imb-cifar10-2, or"),
        ("imb-cifar10-11", "from 2 to 10"),
        ("imb-cifar100-101", "from 2 to 100"),
    ],
)
def test_the_number_of_classes_is_checked(name: str, message: str) -> None:
    with pytest.raises(CutpointError, match=message):
        load_benchmark(name)


def test_a_missing_set_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no data root is set; fetch it with `cutpoint data fetch imb-cifar10-2 --data"
    ):
        load_benchmark("imb-cifar10-2")
    with pytest.raises(DataError, match=rf"needs cifar-100-python or cifar-100-python\.tar\.gz in {tmp_path}, and it"):
        load_benchmark("imb-cifar100-2", DataOptions(root=tmp_path))


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive_is_refused(tmp_path: Path, place: float) -> None:
    path = cifar10_archive(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(place * len(data))])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz (cannot be read|has no)"):
        load_benchmark("imb-cifar10-2", DataOptions(root=tmp_path))


@pytest.mark.parametrize("place", [5, 1000, 50_000, -6, -1])
def test_a_changed_byte_is_seen(tmp_path: Path, place: int) -> None:
    path = cifar10_archive(tmp_path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    try:
        benchmark = load_benchmark("imb-cifar10-2", DataOptions(root=tmp_path))
    except DataError as error:
        assert "cannot be read" in str(error)  # noqa: PT017  either is right: the byte may be the time in the head
    else:
        assert place == 5
        assert np.array_equal(benchmark.pool.features, pictures(40, 32))


def test_nothing_is_unpacked_and_strange_members_are_passed_over(tmp_path: Path) -> None:
    parts = {f"cifar-10-batches-py/{name}": data for name, data in cifar10_parts().items()}
    strange = {
        "../outside": b"1",
        "/absolute": b"2",
        "cifar-10-batches-py/../../data_batch_1": b"3",
        "data_batch_1": b"4",
    }
    root = tmp_path / "root"
    root.mkdir()
    path = tar_gz(root / "cifar-10-python.tar.gz", strange | parts)
    assert load_benchmark("imb-cifar10-2", DataOptions(root=root)).n_classes == 2
    assert list(tmp_path.rglob("*")) == [root, path]
    with tarfile.open(path, "w:gz") as archive:
        for name, data in parts.items():
            member = tarfile.TarInfo(name)
            if name.endswith("data_batch_3"):
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(member)
            else:
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    with pytest.raises(DataError, match="has no data_batch_3; it is incomplete: move it away, and fetch it again"):
        load_benchmark("imb-cifar10-2", DataOptions(root=root))


class Hostile:
    """Runs a command when an ordinary unpickler reads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch hostile",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    parts = cifar10_parts()
    parts["data_batch_2"] = pickle.dumps({"data": Hostile(), "labels": [0]}, protocol)
    folder = put(tmp_path / "cifar-10-batches-py", parts)
    with pytest.raises(DataError, match=r"data_batch_2 cannot be read \(it asks for (posix|nt)\.system"):
        load_benchmark("imb-cifar10-2", DataOptions(root=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name]


NAMES = [
    *(
        "builtins\neval",
        "builtins\ngetattr",
        "numpy\nload",
        "numpy.core.multiarray\nfromfile",
        "copyreg\n_reconstructor",
    ),
    *("collections\nOrderedDict", "numpy\nmatrix", "cutpoint.data.pickles\n_Array", "_codecs\ndecode"),
]


@pytest.mark.parametrize("name", NAMES)
def test_no_other_name_is_found(name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="which plain data never needs"):
        read_plain_pickle(b"\x80\x02}(X\x01\x00\x00\x00ac" + name.encode() + b"\nu.")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cnumpy\nndarray\n(K\x05tR.",  # calls the class
        b"\x80\x02cnumpy\ndtype\n}X\x05\x00\x00\x00_madeNsb.",  # sets an attribute of a name, by its dict
        b"\x80\x02cnumpy\ndtype\n(N}X\x05\x00\x00\x00_madeNstb.",  # and by its slots
        b"\x80\x02cnumpy\ndtype\n(X\x02\x00\x00\x00O8K\x00K\x01tR.",  # objects
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
        b"\x80\x02]q\x00.",  # not a dict
        b"\x80\x02}X\x01\x00\x00\x00ac__builtin__\nexec\n(X\x01\x00\x00\x00atRs.",
        b"",
        b"text",
    ],
)
def test_what_plain_data_never_does_is_refused(data: bytes) -> None:
    with pytest.raises((pickle.UnpicklingError, AttributeError, EOFError, TypeError, ValueError)):
        read_plain_pickle(data)
    assert np.array_equal(read_plain_pickle(python_2_pickle({"x": np.arange(3)}))["x"], np.arange(3))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_is_read_whatever_its_protocol(protocol: int) -> None:
    stored: dict[str, Any] = {
        "a": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "b": [1, "two", b"three"],
        "c": np.asfortranarray(np.eye(3)),
    }
    found = read_plain_pickle(pickle.dumps(stored, protocol))
    assert np.array_equal(found["a"], stored["a"])
    assert np.array_equal(found["c"], stored["c"])
    assert found["b"] == stored["b"]


def test_the_pickles_of_these_tests_are_as_python_2_wrote_them() -> None:
    codes = [(code.name, arg) for code, arg, _ in pickletools.genops(cifar10_parts()["data_batch_1"])]
    assert ("GLOBAL", "numpy.core.multiarray _reconstruct") in codes
    assert {"BINSTRING", "BUILD"} <= {name for name, _ in codes}
    assert not {"BINUNICODE", "BINBYTES"} & {name for name, _ in codes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": np.zeros((8, 3071), np.uint8)}, r"'data' of data_batch_1 must be uint8 of shape \(n, 3072\)"),
        ({"data": np.zeros((8, 3072), np.float32)}, "must be uint8"),
        ({"data": [1, 2]}, "must be uint8"),
        ({"labels": [0] * 7}, r"integers of shape \(8,\)"),
        ({"labels": [10] * 8}, r"labels must lie in 0\.\.9"),
        ({"labels": [0.5] * 8}, "must be a list of whole numbers"),
        ({"labels": None}, "must be a list of whole numbers"),
    ],
)
def test_a_batch_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    batch = {"data": cifar_rows(pictures(8, 32)), "labels": [0] * 8} | changes
    put(tmp_path / "cifar-10-batches-py", cifar10_parts() | {"data_batch_1": plain_pickle(batch)})
    with pytest.raises(DataError, match=said):
        load_benchmark("imb-cifar10-2", DataOptions(root=tmp_path))


def test_the_names_of_the_classes_must_be_there(tmp_path: Path) -> None:
    for meta in ({"label_names": CIFAR10_NAMES[:9]}, {}):
        put(tmp_path / "cifar-10-batches-py", cifar10_parts() | {"batches.meta": plain_pickle(meta)})
        with pytest.raises(DataError, match=r"batches\.meta must name 10 classes"):
            load_benchmark("imb-cifar10-2", DataOptions(root=tmp_path))
