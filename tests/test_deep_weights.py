"""Published weights: where they are looked for, files that hold something else; torchvision beside a torch of CPUs."""

from __future__ import annotations

import hashlib
import importlib
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from cutpoint.data import Pool
from cutpoint.errors import DataError
from cutpoint.learners import make_learner
from cutpoint.learners.deep.clip import MODEL, OPENAI
from cutpoint.learners.deep.clip_network import MEAN, SPREAD
from cutpoint.learners.deep.layers import Symmetric
from cutpoint.learners.deep.resnet import IMAGENET
from cutpoint.learners.deep.vision import import_open_clip, import_timm, import_torchvision
from cutpoint.learners.deep.weights import Published, check_name, find_weights, load_weights, read_weights
from toy_sets import pictures


@pytest.fixture(scope="module")
def whole() -> dict[str, torch.Tensor]:
    """Weights of a ResNet-18 with its head, as they are published; these were drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        tensors = import_timm().create_model("resnet18", pretrained=False).state_dict()
    return {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Empty places where weights are looked for."""
    places = {name: tmp_path / name for name in ("CUTPOINT_DATA", "TORCH_HOME", "HF_HOME")}
    for name, path in places.items():
        path.mkdir()
        monkeypatch.setenv(name, str(path))
    for name in ("HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return places


def test_what_is_missing_is_one_sentence_and_nobody_is_asked_for_it(
    caches: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    with pytest.raises(DataError) as caught:
        find_weights(IMAGENET, "auto", None)
    said = str(caught.value)
    assert "\n" not in said
    for words in (IMAGENET.url, str(caches["CUTPOINT_DATA"]), "weights=PATH", "weights=none"):
        assert words in said
    with pytest.raises(DataError, match=r"the weights .*none\.pth are not there; give the path of a file"):
        find_weights(IMAGENET, str(tmp_path / "none.pth"), None)


def test_weights_are_found_in_every_place_and_in_the_order_of_the_docs(caches: dict[str, Path], tmp_path: Path) -> None:
    hub = caches["HF_HOME"] / "hub" / "models--timm--resnet18.tv_in1k" / "snapshots" / "abc" / "model.safetensors"
    places = [hub, caches["TORCH_HOME"] / "hub" / "checkpoints" / IMAGENET.file]
    places += [caches["CUTPOINT_DATA"] / IMAGENET.file, tmp_path / "root" / IMAGENET.file]
    for place in places:  # each goes before those that are there
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        assert find_weights(IMAGENET, "auto", tmp_path / "root" if "root" in place.parts else None) == place
    assert find_weights(IMAGENET, str(hub), None) == hub


@pytest.mark.parametrize("form", ["pth", "safetensors"])
def test_the_network_begins_with_the_weights_of_the_file(
    form: str, whole: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / f"weights.{form}"
    write(whole, path)
    pool = Pool(pictures(6, 16))
    labels = np.where(np.arange(6) < 2, 1, -1)  # nothing is trained
    found = make_learner(f"resnet18:weights={path}", 2).fit(pool, labels, seed=0)
    embedding = found.score(pool, frozenset({"embedding"})).embedding
    network = import_timm().create_model("resnet18", pretrained=False, num_classes=0).eval()
    network.load_state_dict({name: each for name, each in whole.items() if not name.startswith("fc.")}, strict=False)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pool.pictures[:].astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2))
    assert embedding is not None
    assert np.allclose(embedding, expected.numpy(), atol=1e-4)


def in_the_hubs_cache(published: Published, cache: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """Write them as `hf download` leaves them: the file under its checksum, and a link to it under its name."""
    folder = cache / f"models--{published.hub.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    link = folder / "snapshots" / commit / published.hub_file
    for path, text in ((folder / "refs" / "main", commit), (folder / "blobs" / "checksum.safetensors", "")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    write(tensors, folder / "blobs" / "checksum.safetensors")
    link.parent.mkdir(parents=True)
    link.symlink_to(Path("../../blobs/checksum.safetensors"))
    return link


def test_what_is_published_is_what_timm_torchvision_and_open_clip_call_so() -> None:
    """Files, repositories, addresses, and CLIP's mean and spread, none of which is asked of them elsewhere."""
    timm, torchvision = import_timm(), importlib.import_module("torchvision.models")
    import_open_clip()
    assert timm.get_pretrained_cfg("resnet18.tv_in1k").hf_hub_id == IMAGENET.hub
    assert torchvision.ResNet18_Weights.IMAGENET1K_V1.url == IMAGENET.url
    assert IMAGENET.url.endswith(f"/{IMAGENET.file}")
    assert IMAGENET.hub_file == importlib.import_module("timm.models._hub").HF_SAFE_WEIGHTS_NAME
    theirs = importlib.import_module("open_clip.pretrained").get_pretrained_cfg(MODEL, "openai")
    assert theirs["hf_hub"].rstrip("/") in (OPENAI.hub, "")  # older ones know the address alone
    assert (theirs["mean"], theirs["std"], theirs["interpolation"]) == (MEAN, SPREAD, "bicubic")
    assert OPENAI.hub_file == importlib.import_module("open_clip.constants").HF_SAFE_WEIGHTS_NAME


@pytest.mark.parametrize("published", [IMAGENET, OPENAI], ids=["ResNet-18", "CLIP"])
def test_auto_finds_what_the_hub_itself_finds_in_its_cache(published: Published, caches: dict[str, Path]) -> None:
    hub = pytest.importorskip("huggingface_hub")
    cache = caches["HF_HOME"] / "hub"
    link = in_the_hubs_cache(published, cache, {"a": torch.zeros(1)})
    assert Path(hub.try_to_load_from_cache(published.hub, published.hub_file, cache_dir=cache)) == link
    assert find_weights(published, "auto", None) == link


def test_a_network_from_the_hubs_cache_has_the_weights_there_and_a_head_of_its_own(caches: dict[str, Path]) -> None:
    """As timm publishes it, with the counters of its normalisation and a head of 1000 classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        published = import_timm().create_model("resnet18", pretrained=False)
    assert published.fc.out_features == 1000
    in_the_hubs_cache(IMAGENET, caches["HF_HOME"] / "hub", published.state_dict())
    learner = make_learner("resnet18:device=cpu", 2)
    learner.check()  # type: ignore[attr-defined]
    pool = Pool(pictures(6, 16))
    model = learner.fit(pool, np.where(np.arange(6) < 2, 1, -1), seed=0)  # nothing is trained
    embedding = model.score(pool, frozenset({"embedding"})).embedding
    with torch.inference_mode():
        inputs = torch.from_numpy(pool.pictures[:]).permute(0, 3, 1, 2).float() / 127.5 - 1
        published.eval()
        expected = published.forward_head(published.forward_features(inputs), pre_logits=True)
    assert embedding is not None
    assert np.allclose(embedding, expected.numpy(), atol=1e-4)
    assert model.predict_probs(pool.features).shape == (6, 2)


def write(tensors: Any, path: Path) -> None:
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(tensors, path)
    else:
        torch.save(tensors, path)


def test_weights_of_another_architecture_are_one_sentence(whole: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    wide = {**whole, "conv1.weight": torch.zeros(128, 3, 7, 7)}
    deep = {**whole, "layer4.2.conv1.weight": torch.zeros(3)}
    shallow = {name: each for name, each in whole.items() if name != "bn1.bias"}
    for tensors, said in (
        (wide, r"conv1.weight is \(128, 3, 7, 7\) and not \(64, 3, 7, 7\)"),
        (deep, r"it has layer4.2.conv1.weight"),
        (shallow, "it lacks bn1.bias"),
        ({"head": torch.zeros(3)}, "it lacks "),
    ):
        write(tensors, path)
        learner = make_learner(f"resnet18:weights={path}", 2)
        with pytest.raises(DataError, match=rf"holds the weights of another architecture \({said}"):
            learner.fit(Pool(pictures(6, 16)), np.arange(6) % 2, seed=0)


@pytest.mark.parametrize("form", ["pth", "safetensors"])
def test_a_file_that_is_cut_off_or_another_is_one_sentence(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights.{form}"
    write({"a": torch.zeros(1000)}, path)
    kept = path.read_bytes()
    for content in (kept[: len(kept) // 2], b"", b"not weights at all"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="holds no weights that can be read; it is cut off or another file"):
            read_weights(path)


def test_no_pickle_is_run(tmp_path: Path) -> None:
    class Mine:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "was run",))

    path = tmp_path / "weights.pth"
    for write_it in (lambda: torch.save({"a": Mine()}, path), lambda: path.write_bytes(pickle.dumps({"a": Mine()}))):
        write_it()
        with pytest.raises(DataError, match="holds no weights that can be read"):
            read_weights(path)
    torch.save([torch.zeros(3)], path)
    with pytest.raises(DataError, match="holds no weights that can be read"):
        read_weights(path)
    assert not (tmp_path / "was run").exists()


def test_what_is_no_file_of_weights_is_told_apart_from_one_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    module: Any = torch.jit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # later versions of torch would rather not have it
        module.save(module.trace(nn.Linear(2, 3), torch.zeros(1, 2)), path)
    with pytest.raises(DataError, match=r"it is a TorchScript program, which is not run: .*torch\.jit\.load"):
        read_weights(path)
    for stored in ({"epoch": 3, "optimizer": {}}, {"a": torch.zeros(3), "arguments": Path("x")}, {}):
        torch.save(stored, path)
        with pytest.raises(DataError, match="it holds other things than tensors, as a checkpoint of a training does"):
            read_weights(path)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.tensor([[1.0, torch.nan]]), "bias": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="holds a value in weight that is no finite number; fetch it again"):
        load_weights(nn.Linear(2, 1), path)


def test_a_file_whose_name_says_its_checksum_is_held_to_it(tmp_path: Path, whole: dict[str, torch.Tensor]) -> None:
    path, right = tmp_path / IMAGENET.file, tmp_path / "right.pth"
    for each in (path, right):
        torch.save(whole, each)
    with pytest.raises(DataError, match=r"of .*resnet18-f37072fd\.pth begins with [0-9a-f]{8} and not f37072fd"):
        make_learner(f"resnet18:weights={path}", 2).check()  # type: ignore[attr-defined]
    before = torch.get_rng_state()
    make_learner(f"resnet18:weights={right}", 2).check()  # type: ignore[attr-defined]
    assert torch.equal(before, torch.get_rng_state())
    named = right.rename(tmp_path / f"right-{hashlib.sha256(right.read_bytes()).hexdigest()[:8]}.pth")
    check_name(named)
    check_name(right.with_name("mine-20260101.pth"))  # a day, and no checksum


def test_old_heads_are_left_out(tmp_path: Path) -> None:
    network, path = nn.Sequential(nn.Linear(2, 3)), tmp_path / "weights.pth"
    torch.save({"0.weight": torch.ones(3, 2), "0.bias": torch.zeros(3), "fc.weight": torch.ones(9)}, path)
    load_weights(network, path, ignore=("fc.",))
    assert network.state_dict()["0.weight"].eq(1).all()


def test_pictures_are_scaled_to_plus_and_minus_one() -> None:
    images = np.zeros((1, 2, 3, 3), np.uint8)
    images[0, 1, 2] = 255, 51, 0
    scaled = Symmetric()(torch.from_numpy(images))
    assert scaled.shape == (1, 3, 2, 3)
    assert scaled[0, :, 1, 2].tolist() == pytest.approx([1, -0.6, -1])


def test_torchvision_imports_with_its_transforms_and_networks() -> None:
    torchvision = import_torchvision()
    assert torchvision is import_torchvision()
    from torchvision.transforms import v2

    assert v2.RandAugment(3, 5)(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape == (3, 8, 8)


def test_another_error_of_torchvision_passes_through() -> None:
    code = (
        "import sys, importlib.abc\n"
        "class Broken(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'torchvision': raise RuntimeError('something else')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "from cutpoint.learners.deep.vision import import_torchvision\n"
        "import_torchvision()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "RuntimeError: something else" in done.stderr
