"""Data sets: sizes and imbalance as stated, splits respected, and one clear sentence for what is wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutpoint.data import Benchmark, DataOptions, Pool, dataset_name, load_benchmark
from cutpoint.data.splits import stratified_split
from cutpoint.errors import CutpointError, DataError, UsageError

Write = Callable[..., Path]


@pytest.fixture
def npz(tmp_path: Path) -> Write:
    """Write a small file in the format of the larger sets, with any array replaced."""

    def write(name: str = "toy.npz", **changes: NDArray[Any] | None) -> Path:
        rng = np.random.default_rng(0)
        label = np.arange(60) % 4
        arrays: dict[str, NDArray[Any] | None] = {
            "features": rng.standard_normal((60, 5)).astype(np.float16),
            "label": label.astype(np.int16),
            "split": (np.arange(60) >= 40).astype(np.uint8),
            "split_names": np.array(["train", "test"]),
            "classes": np.array(["ant", "bee", "cat", "dog"]),
        }
        path = tmp_path / name
        np.savez(path, allow_pickle=True, **{k: v for k, v in (arrays | changes).items() if v is not None})
        return path

    return write


@pytest.mark.parametrize(("name", "n_classes"), [("digits", 10), ("digits-2", 2), ("digits-3", 3), ("digits-10", 10)])
def test_digits_are_grouped_and_split_the_same_way_always(name: str, n_classes: int) -> None:
    first, again, whole = load_benchmark(name), load_benchmark(name), load_benchmark("digits")
    assert first.n_classes == n_classes
    assert np.array_equal(first.pool.features, again.pool.features)
    assert np.array_equal(first.labels, np.minimum(whole.labels, n_classes - 1))
    assert first.pool.n_examples + len(first.test_labels) == 1797
    assert first.pool.features.dtype == np.float32
    assert not first.pool.features.flags.writeable


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50), st.floats(0.05, 0.9), st.integers(0, 2**32))
def test_stratified_split_parts_everything_and_tests_every_class(y: list[int], share: float, seed: int) -> None:
    labels = np.array(y)
    pool, test = stratified_split(labels, share, np.random.default_rng(seed))
    assert sorted([*pool, *test]) == list(range(len(y)))
    for k in set(y):
        assert np.count_nonzero(labels[test] == k) == max(1, round(share * y.count(k)))


@given(st.integers(2, 4), st.floats(0.02, 1), st.floats(0.01, 0.5), st.integers(1, 6), st.integers(0, 5))
def test_drawn_pools_have_the_stated_imbalance(k: int, gamma: float, overlap: float, d: int, seed: int) -> None:
    name = f"drawn-{k}:n=400:test=100:d={d}:imbalance={gamma}:overlap={overlap}:seed={seed}"
    drawn = load_benchmark(name)
    counts = np.bincount(drawn.labels, minlength=k)
    assert drawn.pool.features.shape == (400, d)
    assert counts.sum() == 400
    assert (counts[:-1] == counts[0]).all()
    assert abs(counts[0] - gamma * counts[-1]) <= k
    assert np.array_equal(drawn.pool.features, load_benchmark(name).pool.features)


def test_drawn_pools_have_the_stated_overlap() -> None:
    drawn = load_benchmark("drawn:n=40000:test=10:d=3:imbalance=1:overlap=0.1")
    means = [drawn.pool.features[drawn.labels == k].mean(axis=0) for k in (0, 1)]
    side = drawn.pool.features @ (means[0] - means[1]) > (means[0] @ means[0] - means[1] @ means[1]) / 2
    assert np.mean(side != (drawn.labels == 0)) == pytest.approx(0.1, abs=0.01)


def test_a_file_keeps_its_split_and_its_classes(npz: Write) -> None:
    benchmark = load_benchmark(str(npz(second=(np.arange(60) % 4)[::-1])), DataOptions(human=("second",)))
    assert benchmark.name == "toy"
    assert benchmark.classes == ("ant", "bee", "cat", "dog")
    assert np.array_equal(benchmark.labels, np.arange(40) % 4)
    assert np.array_equal(benchmark.test_labels, np.arange(40, 60) % 4)
    assert np.array_equal(benchmark.human["second"], (np.arange(60) % 4)[::-1][:40])
    grouped = load_benchmark(str(npz(second=np.arange(40) % 4)), DataOptions(group=2, human=("second",)))
    assert grouped.name == "toy-2"
    assert grouped.classes == ("ant", "other")
    assert np.array_equal(grouped.human["second"], np.minimum(np.arange(40) % 4, 1))


def test_text_labels_and_text_splits_are_understood(npz: Write) -> None:
    words = np.array(["wasp", "ant"] * 30)
    parts = np.array(["train"] * 30 + ["val"] * 10 + ["test"] * 20)
    benchmark = load_benchmark(str(npz(label=words, split=parts)))
    assert benchmark.classes == ("ant", "wasp")
    assert benchmark.pool.n_examples == 30
    assert len(benchmark.test_labels) == 20
    assert re.fullmatch(r".*toy\.npz: 10 of 60 rows left out, whose split is 'val'\.", benchmark.note)


@pytest.mark.parametrize(("train", "test"), [("Train", "TEST"), (False, True), (0, 1), ("0", "1"), ("False", "true ")])
def test_a_split_may_be_written_in_these_ways(npz: Write, train: object, test: object) -> None:
    benchmark = load_benchmark(str(npz(split=np.array([train] * 40 + [test] * 20), split_names=None)))
    assert np.array_equal(benchmark.labels, np.arange(40) % 4)
    assert len(benchmark.test_labels) == 20
    assert benchmark.note == ""


def test_a_split_that_is_named_must_be_there(npz: Write, tmp_path: Path) -> None:
    said = r"toy\.npz has no column 'part' for the split; it has classes, features, label, split, split_names: "
    with pytest.raises(DataError, match=said):
        load_benchmark(str(npz()), DataOptions(split="part"))
    with pytest.raises(DataError, match=r"has no column 'split' for the split; it has classes, features, label"):
        load_benchmark(str(npz(split=None)), DataOptions(split="split"))
    np.save(tmp_path / "y.npy", np.arange(60) % 4)
    np.save(tmp_path / "x.npy", np.zeros((60, 2)))
    with pytest.raises(DataError, match="has no column 'part' for the split"):
        load_benchmark(str(tmp_path / "x.npy"), DataOptions(label=str(tmp_path / "y.npy"), split="part"))


def test_a_file_without_split_is_split_once_and_for_all(npz: Write) -> None:
    path = npz(split=None)
    first, again = load_benchmark(str(path)), load_benchmark(str(path))
    assert first.pool.n_examples == 48
    assert np.array_equal(first.test_features, again.test_features)


def test_npy_files_go_together(tmp_path: Path) -> None:
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.random.default_rng(0).standard_normal((50, 3)))
    np.save(y, np.arange(50) % 3)
    assert load_benchmark(str(x), DataOptions(label=str(y))).n_classes == 3
    with pytest.raises(UsageError, match=r"--label-column LABELS\.npy"):
        load_benchmark(str(x))


def test_options_of_files_are_refused_where_there_is_no_file(tmp_path: Path) -> None:
    for role, option in (("features", "--features-column"), ("label", "--label-column"), ("split", "--split-column")):
        with pytest.raises(UsageError, match=f"{option} is for data files only, and digits-2 is .*; leave it out"):
            load_benchmark("digits-2", DataOptions(**{role: "kind"}))  # type: ignore[arg-type]  # texts all
    with pytest.raises(UsageError, match=r"--group is for data files only.* as in digits-3"):
        load_benchmark("digits", DataOptions(group=2))
    np.save(tmp_path / "x.npy", np.zeros((60, 2)))
    with pytest.raises(UsageError, match=r"x\.npy holds the features alone.*--features-column out"):
        load_benchmark(str(tmp_path / "x.npy"), DataOptions(features="a"))


def test_parquet_with_lists_and_with_columns(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 2))
    kinds = [["no", "yes"][i % 2] for i in range(50)]
    lists = tmp_path / "lists.parquet"
    parquet.write_table(pa.table({"features": x.tolist(), "label": kinds}), lists)
    columns = tmp_path / "columns.parquet"
    parquet.write_table(pa.table({"a": x[:, 0], "b": x[:, 1], "kind": kinds}), columns)
    one = load_benchmark(str(lists))
    two = load_benchmark(str(columns), DataOptions(label="kind"))
    assert np.array_equal(one.pool.features, two.pool.features)
    assert one.classes == two.classes == ("no", "yes")
    columns.write_bytes(b"not parquet")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        load_benchmark(str(columns))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "x.parquet").touch()
    with pytest.raises(UsageError, match=r"needs pyarrow; install it with: pip install pyarrow\."):
        load_benchmark(str(tmp_path / "x.parquet"))


def test_the_data_root_is_used_and_its_absence_is_explained(npz: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUTPOINT_DATA", raising=False)
    with pytest.raises(DataError, match=r"ham10000_features\.npz.*--data-root"):
        load_benchmark("ham10000")
    root = npz("ham10000_features.npz").parent
    assert load_benchmark("ham10000", DataOptions(root=root)).n_classes == 4
    monkeypatch.setenv("CUTPOINT_DATA", str(root))
    assert load_benchmark("ham10000-2").n_classes == 2
    with pytest.raises(DataError, match=r"put cifar10_jpeg_features\.npz into"):
        load_benchmark("cifar10-jpeg-2")


def test_human_labels_are_grouped_like_the_clean_ones(npz: Write, tmp_path: Path) -> None:
    npz("cifar10_jpeg_features.npz")
    aggre = (np.arange(40) + (np.arange(40) % 7 == 0)) % 4
    np.savez(tmp_path / "cifar10_human_labels.npz", train_clean=np.arange(40) % 4, aggre=aggre, other=np.arange(3))
    options = DataOptions(root=tmp_path, human=("aggre",))
    benchmark = load_benchmark("cifar10-jpeg-3", options)
    assert np.array_equal(benchmark.human["aggre"], np.minimum(aggre, 2))
    assert np.array_equal(benchmark.labels, np.minimum(np.arange(40) % 4, 2))
    with pytest.raises(UsageError, match=r"cifar10-jpeg-3 has no label column 'worst' .* it has aggre, train_clean:"):
        load_benchmark("cifar10-jpeg-3", DataOptions(root=tmp_path, human=("worst",)))
    np.savez(tmp_path / "cifar10_human_labels.npz", train_clean=np.zeros(40, int), aggre=aggre)
    with pytest.raises(DataError, match="one order"):
        load_benchmark("cifar10-jpeg-3", options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.full((60, 5), np.nan)}, "row 0 .* NaN or infinity"),
        ({"features": np.zeros(60)}, r"shape \(N, d\)"),
        ({"features": None}, "no column 'features'; it has classes, label"),
        ({"label": None}, "no column 'label'.*--label-column"),
        ({"label": np.arange(60) - 1}, r"hold -1 in row 0; labels must lie in 0\.\.3"),
        ({"label": np.arange(60)}, r"hold 4 in row 4; labels must lie in 0\.\.3"),
        ({"label": np.zeros(3, int)}, r"integers of shape \(60,\)"),
        ({"label": np.linspace(0, 3, 60)}, "must be integers"),
        (
            {"label": np.where(np.arange(60) < 40, np.arange(60) % 4, 0)},
            r"no test example of class 1 \(bee\)",
        ),
        (
            {"label": np.where(np.arange(60) < 40, 0, np.arange(60) % 4)},
            r"no example in the pool of class 1 \(bee\), so no strategy can find it",
        ),
        ({"features": np.zeros((60, 4, 4, 3))}, r"numbers of shape \(N, d\)\. These look like pictures: give what a"),
        ({"split": np.zeros(60, int)}, "must have both 'train' and 'test'"),
        ({"split": np.full(60, 2)}, r"the split hold 2 in row 0"),
        ({"split": np.zeros(5, int)}, "one value for each of 60 rows"),
        ({"label": np.array([{}] * 60, dtype=object)}, "cannot be read as .npz"),
        ({"classes": np.array(["only"]), "label": np.zeros(60, int)}, "needs at least 2"),
    ],
)
def test_bad_files_are_refused(npz: Write, changes: dict[str, NDArray[Any] | None], message: str) -> None:
    with pytest.raises(CutpointError, match=message):
        load_benchmark(str(npz(**changes)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "no data set 'nope'; choose one of cifar10-jpeg"),
        ("digits-1", r"grouped to 2\.\.10"),
        ("digits-11", r"grouped to 2\.\.10"),
        ("digits:n=3", "no data set"),
        ("drawn:size=3", "unknown parameter 'size'"),
        ("drawn:n=many", "n is 'many'"),
        ("drawn:overlap=0.7", r"overlap is 0\.7"),
        ("drawn:imbalance=0", r"imbalance is 0\.0"),
        ("drawn-30:n=20:test=20", "too few for 30 classes"),
        ("drawn:n=200:d=3:n=300", "n is given twice"),
        ("missing.npz", "no file missing.npz"),
        ("feat.csv", r"feat\.csv: CSV is not read; save it as \.npz, \.npy or \.parquet"),
    ],
)
def test_bad_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(CutpointError, match=message):
        load_benchmark(name)


def test_a_truncated_file_is_refused(npz: Write) -> None:
    path = npz()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="damaged"):
        load_benchmark(str(path))


def test_pool_and_benchmark_check_themselves() -> None:
    x = np.zeros((3, 2), dtype=np.float32)
    with pytest.raises(DataError, match="one id for each row"):
        Pool(x, ids=("a",))
    with pytest.raises(DataError, match="same"):
        Benchmark("b", Pool(x), np.array([0, 1, 0]), np.zeros((2, 3), np.float32), np.array([0, 1]), ("a", "b"))
    assert dataset_name("some/where/x.parquet", DataOptions(group=3)) == "x-3"
