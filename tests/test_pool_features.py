"""Features for the first model: better than chance, the same for the same seed, and undamaged by damaged items."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cutpoint.core.measures import balanced_accuracy
from cutpoint.data.pool import Pool
from cutpoint.data.pools import embed_pictures as shapes
from cutpoint.data.pools import embed_texts as terms
from cutpoint.data.pools.bring import Wish, bring, embed
from cutpoint.data.pools.brought import Brought
from cutpoint.data.pools.decoding import decode
from cutpoint.errors import DataError, UsageError
from cutpoint.learners.linear import LogisticLearner
from tiny_onnx import averaging


def learnt(features: NDArray[np.float32], truth: NDArray[Any], shown: int) -> float:
    """Balanced accuracy on the rest of a logistic regression that has seen `shown` drawn labels."""
    order = np.random.default_rng(0).permutation(len(truth))
    labels = np.full(len(truth), -1)
    labels[order[:shown]] = truth[order[:shown]]
    k = int(truth.max()) + 1
    model = LogisticLearner(k).fit(Pool(features), labels, seed=0)
    rest = order[shown:]
    return balanced_accuracy(truth[rest], model.predict(features[rest]), k)


def text_pool(texts: Sequence[str]) -> Brought:
    """Texts as a pool."""
    ids = [str(i) for i in range(len(texts))]
    return Brought("text", "drawn", ids, lambda: ({"text": text} for text in texts))


def row_pool(rows: Sequence[dict[str, Any]]) -> Brought:
    """Rows as a pool."""
    ids = [str(i) for i in range(len(rows))]
    return Brought("row", "drawn", ids, lambda: ({"row": row} for row in rows))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[Any]]:
    """A folder of 600 pictures of digits, and which digits they are."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("digits")
    found = load_digits()
    for i, picture in enumerate(found.images[:600]):
        Image.fromarray((picture * 15).astype(np.uint8)).save(folder / f"{i:04d}.png")
    return folder, found.target[:600]


def test_pictures_are_told_apart(digits: tuple[Path, NDArray[Any]]) -> None:
    folder, truth = digits
    pool = bring(Wish(images=folder))
    made = embed(pool, Wish(), seed=3)
    assert made.features.dtype == np.float32
    assert made.features.shape == (600, shapes.DIMENSIONS)
    assert "64 x 64" in made.words
    assert learnt(made.features, truth, 100) > 0.75  # chance: 0.1
    np.testing.assert_array_equal(made.features, embed(pool, Wish(), seed=3).features)


def test_a_pool_larger_than_the_sample_is_embedded_alike(
    digits: tuple[Path, NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, truth = digits
    monkeypatch.setattr(shapes, "SAMPLE", 200)
    told: list[tuple[str, int, int]] = []
    made = embed(bring(Wish(images=folder)), Wish(), 0, lambda *now: told.append(now))
    assert made.features.shape == (600, shapes.DIMENSIONS)
    assert learnt(made.features, truth, 100) > 0.75
    assert told[-1] == ("embedding pictures", 600, 600)


def test_damaged_pictures_are_counted_and_stand_in_the_middle(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / f"{i}.png")
    whole = (tmp_path / "7.png").read_bytes()
    (tmp_path / "3.png").write_bytes(b"")
    (tmp_path / "5.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "6.gif").write_bytes(b"GIF89a" + bytes(range(200)))
    Image.new("RGB", (10, 10)).save(tmp_path / "8.jpg", "TIFF")  # no TIFF is decoded, whatever it is called
    made = embed(bring(Wish(images=tmp_path)), Wish())
    assert made.unreadable == (3, 5, 6, 9)  # 3.png, 5.png, 6.gif, 8.jpg in the order of the paths
    assert not made.features[list(made.unreadable)].any()
    assert np.isfinite(made.features).all()


def test_a_picture_that_claims_to_be_huge_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", 8, 8) is not None
    monkeypatch.setattr("cutpoint.data.pools.decoding.MAX_PIXELS", 1199)
    assert decode(tmp_path / "a.png", 8, 8) is None


def test_pictures_are_upright_on_white_and_of_every_kind(tmp_path: Path) -> None:
    red = Image.new("RGB", (16, 8), (250, 0, 0))
    for name in ("a.jpg", "a.png", "a.webp", "a.gif", "a.bmp"):
        red.save(tmp_path / name)
        found = decode(tmp_path / name, 8, 16)
        assert found is not None, name
        assert abs(found.astype(int) - [250, 0, 0]).max() < 12, name
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    clear = decode(tmp_path / "clear.png", 4, 4)
    assert clear is not None
    assert (clear == 255).all()
    half = Image.new("RGB", (16, 8))
    half.paste((255, 255, 255), (0, 0, 8, 8))
    turned = Image.Exif()
    turned[0x0112] = 3  # half a turn
    half.save(tmp_path / "turned.jpg", exif=turned)
    found = decode(tmp_path / "turned.jpg", 8, 16)
    assert found is not None
    assert found[:, -2:].mean() > 240
    assert found[:, :2].mean() < 15


def test_a_folder_of_nothing_readable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(DataError, match="none of 1 can be read as a picture"):
        embed(bring(Wish(images=tmp_path)), Wish())


def test_texts_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    subjects = [["heron", "crane", "stork"], ["lathe", "drill", "chisel"], ["rain", "hail", "fog"]]
    truth = rng.integers(0, 3, 300)
    filler = ["the", "a", "of", "in", "with", "over", "under", "and", "then", "now"]
    texts = [" ".join(rng.permutation([*rng.choice(subjects[k], 2), *rng.choice(filler, 6)])) for k in truth]
    made = embed(text_pool(texts), Wish(), seed=1)
    assert made.features.shape[1] <= terms.DIMENSIONS
    assert learnt(made.features, truth, 40) > 0.75  # chance: 0.33
    np.testing.assert_array_equal(made.features, embed(text_pool(texts), Wish(), seed=1).features)
    monkeypatch.setattr(terms, "SAMPLE", 100)
    assert learnt(embed(text_pool(texts), Wish()).features, truth, 40) > 0.6


def test_odd_texts_have_features_too() -> None:
    texts = ["", "a\x00b", "שלום עולם", "x" * 10**6, "日本語のテキスト", "日本語", "plain words", "more plain words"]
    features = embed(text_pool(texts), Wish()).features
    assert np.isfinite(features).all()
    assert not features[0].any()
    assert features[4] @ features[5] > 0.05  # a script without spaces
    assert abs(features[4] @ features[6]) < 1e-3
    with pytest.raises(DataError, match="no words in common"):
        embed(text_pool(["", " "]), Wish())


def test_rows_are_standardised_and_one_hot_and_said() -> None:
    rows = [
        {"size": "1", "kind": "a", "name": f"n{i}", "same": "x", "gap": "" if i % 2 else str(i)} for i in range(60)
    ] + [{"size": "3", "kind": "b", "name": "n60", "same": "x", "gap": "7"}]
    made = embed(row_pool(rows), Wish())
    size, a, b, gap, missing = made.features.T
    assert "size" in made.words
    assert "left out as constant or of more than 50 categories: name, same" in made.words
    assert abs(size.mean()) < 1e-5
    assert abs(size.std() - 1) < 1e-5
    assert (a + b == 1).all()
    assert b[-1] == 1
    assert missing[:4].tolist() == [0, 1, 0, 1]
    assert gap[1] == 0  # the mean


def test_wild_values_in_rows_drown_nothing() -> None:
    rows = [{"x": value} for value in (*range(200), "1e29", "nan", None, True)]
    features = embed(row_pool(rows), Wish()).features
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 10.0
    with pytest.raises(DataError, match="none of them tells"):
        embed(row_pool([{"x": "1"}, {"x": "1"}]), Wish())


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("12..5", "'12..5' in row 31 is no number"),
        ("12,5", "'12,5' in row 31 has a decimal comma, and must have a point"),
        ("-inf", "'-inf' in row 31 is infinite"),
        ("1e308", "'1e308' in row 31 is larger than 1e+30"),
    ],
)
def test_a_cell_that_spoils_a_column_of_numbers_is_named(cell: str, said: str) -> None:
    prices = [cell if i == 30 else str(i / 2) for i in range(100)]
    rows = [{"price": price, "n": str(i % 9), "name": f"n{i}"} for i, price in enumerate(prices)]
    words = embed(row_pool(rows), Wish()).words
    assert f"price is left out, since {said}: correct that" in words
    assert "left out as constant or of more than 50 categories: name;" in words
    with pytest.raises(DataError, match=re.escape(f"price: {said}")):
        embed(row_pool([{"price": price} for price in prices]), Wish())
    few = [{"price": price} for price in prices[20:40]]
    assert f"price is taken as categories, since {said.replace('31', '11')}" in embed(row_pool(few), Wish()).words


def test_an_infinite_number_of_parquet_is_no_gap(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    prices = [float("inf") if i == 30 else i / 2 for i in range(100)]
    parquet.write_table(pa.table({"price": prices, "n": list(range(100))}), tmp_path / "t.parquet")
    pool = bring(Wish(file=tmp_path / "t.parquet"))
    assert "price is left out, since 'inf' in row 31 is infinite" in embed(pool, Wish()).words


def test_features_of_ones_own_are_taken_as_they_are(tmp_path: Path) -> None:
    given = np.arange(6, dtype=np.float64).reshape(3, 2)
    np.save(tmp_path / "x.npy", given)
    pool = text_pool(["a", "b", "c"])
    np.testing.assert_array_equal(embed(pool, Wish(embeddings=tmp_path / "x.npy")).features, given)
    alone = bring(Wish(file=tmp_path / "x.npy"))
    assert list(alone.contents())[2] == {"row": {"row": 2}}
    np.testing.assert_array_equal(embed(alone, Wish()).features, given)
    with pytest.raises(DataError, match="3 rows for 2 items"):
        embed(text_pool(["a", "b"]), Wish(embeddings=tmp_path / "x.npy"))
    with pytest.raises(UsageError, match="embeddings must be"):
        embed(pool, Wish(embeddings=tmp_path / "x.csv"))
    with pytest.raises(UsageError, match="--encoder reads pictures"):
        embed(pool, Wish(encoder=tmp_path / "x.onnx"))
    np.save(tmp_path / "x.npy", np.array([[1.0], [np.nan], [2.0]]))
    with pytest.raises(DataError, match="row 1"):
        embed(pool, Wish(embeddings=tmp_path / "x.npy"))


@pytest.mark.parametrize("lists", ["list", "fixed", "columns"])
def test_features_in_parquet_are_found_by_id(tmp_path: Path, lists: str) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    numbers = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
    kind = pa.list_(pa.float32(), 2) if lists == "fixed" else pa.list_(pa.float64())
    columns = {"x": pa.array(numbers, kind)} if lists != "columns" else {"u": [1, 3, 5, 7], "v": [2.0, 4, 6, 8]}
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"id": ["2", "0", "1", "other"], **columns}), path)
    found = embed(text_pool(["a", "b", "c"]), Wish(embeddings=path)).features
    np.testing.assert_array_equal(found, [[3, 4], [5, 6], [1, 2]])
    with pytest.raises(DataError, match="no row for '3'"):
        embed(text_pool(["a", "b", "c", "d"]), Wish(embeddings=path))
    parquet.write_table(pa.table({"id": ["0", "0"], "x": [[1.0], [2.0]]}), path)
    with pytest.raises(DataError, match="the id '0' twice"):
        embed(text_pool(["a"]), Wish(embeddings=path))
    parquet.write_table(pa.table({"id": ["0", "1"], "x": [[1.0], [2.0, 3.0]]}), path)
    with pytest.raises(DataError, match="differ in length"):
        embed(text_pool(["a", "b"]), Wish(embeddings=path))


@pytest.mark.parametrize("side", ["side", 16])
def test_an_encoder_sees_pixels_from_minus_one_to_one(tmp_path: Path, side: int | str) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "mean.onnx").write_bytes(averaging(side=side))
    for i, colour in enumerate([(0, 0, 0), (255, 255, 255), (255, 0, 127)]):
        Image.new("RGB", (20, 10), colour).save(tmp_path / f"{i}.png")
    (tmp_path / "9.png").write_bytes(b"no picture")
    made = embed(bring(Wish(images=tmp_path)), Wish(encoder=tmp_path / "mean.onnx"))
    seen = np.array([[-1, -1, -1], [1, 1, 1], [1, -1, 127 / 127.5 - 1]])
    np.testing.assert_allclose(made.features[:3], seen, atol=1e-6)
    np.testing.assert_allclose(made.features[3], made.features[:3].mean(axis=0), atol=1e-6)
    assert made.unreadable == (3,)
    assert f"the 3 outputs of mean.onnx on pictures of {16 if side == 16 else 128} x" in made.words
    (tmp_path / "mean.onnx").write_bytes(averaging(channels=1))
    with pytest.raises(DataError, match="reads an input of shape"):
        embed(bring(Wish(images=tmp_path)), Wish(encoder=tmp_path / "mean.onnx"))


def test_an_encoder_is_refused_where_it_is_none(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    pool = bring(Wish(images=tmp_path))
    with pytest.raises(DataError, match="there is no file"):
        embed(pool, Wish(encoder=tmp_path / "none.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"no")
    with pytest.raises(DataError, match="no encoder that onnxruntime can load"):
        embed(pool, Wish(encoder=tmp_path / "bad.onnx"))
