"""The weights of CLIP: where they are found, in which forms they are read, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cutpoint.cli import run_cli
from cutpoint.data.captions import captions
from cutpoint.errors import DataError
from cutpoint.learners import make_learner
from cutpoint.learners.base import equipped
from cutpoint.learners.deep.clip import OPENAI
from cutpoint.learners.deep.clip_network import picture_encoder, text_head
from cutpoint.learners.deep.vision import import_open_clip
from cutpoint.learners.deep.weights import find_weights
from cutpoint.types import UNKNOWN
from tiny_clip import LABELS, NAME, SIDE, TOY, clip, coloured, no_weights_of_the_user, tiny_clip, weights_of  # noqa: F401


def test_missing_weights_are_one_sentence_and_nobody_is_asked_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    learner = equipped(make_learner("clip", 3), root=tmp_path, scratch=None, captions=captions(TOY))
    for call in (learner.check, lambda: learner.fit(TOY.pool, LABELS, seed=0)):  # type: ignore[attr-defined]
        with pytest.raises(DataError, match="weights of CLIP ViT-B/32 are not here; put https://") as caught:
            call()
        assert f"open_clip_model.safetensors into {tmp_path}" in str(caught.value)


def test_the_command_says_that_weights_are_missing_before_it_reads_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["bench", "run", "--dataset", "fmow", "--learner", "clip:tune=frozen", "--data-root", str(tmp_path)]
    assert run_cli([*call, "-o", str(tmp_path / "out")]) == 2
    assert "weights of CLIP ViT-B/32 are not here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_weights_are_found_in_the_data_root_and_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    hub = tmp_path / "cache" / "huggingface" / "hub" / "models--timm--vit_base_patch32_clip_224.openai"
    for folder in (tmp_path / "vit_base_patch32_clip_224.openai", hub / "snapshots" / "0123"):
        folder.mkdir(parents=True)
        (folder / "open_clip_model.safetensors").touch()
        assert find_weights(OPENAI, "auto", tmp_path) == folder / "open_clip_model.safetensors"
        (folder / "open_clip_model.safetensors").unlink()


@pytest.mark.parametrize("form", ["open_clip", "in training", "of TorchScript", "half"])
def test_published_weights_are_read_in_every_form_that_open_clip_reads(form: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    plain = weights_of(3, tmp_path / "plain.safetensors")
    tensors: Any = load_file(plain)
    stored = {
        "open_clip": tensors | {"logit_scale": tensors["logit_scale"].reshape(1), "attn_mask": torch.zeros(77, 77)},
        "in training": {"epoch": 3, "name": "a", "state_dict": {f"module.{name}": x for name, x in tensors.items()}},
        "of TorchScript": tensors
        | {name: torch.tensor(1) for name in ("input_resolution", "context_length", "vocab_size")},
        "half": {name: x.half() for name, x in tensors.items()},
    }[form]
    torch.save(stored, tmp_path / "stored.pt")
    found, expected = (
        clip(f"weights={path}").fit(TOY.pool, np.where(TOY.labels == 1, 1, UNKNOWN), seed=0).score(TOY.pool).probs
        for path in (tmp_path / "stored.pt", plain)
    )
    assert np.allclose(found, expected, atol=1e-2 if form == "half" else 0)


@pytest.mark.parametrize("name", ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"])
def test_a_published_file_gives_the_embeddings_that_open_clip_itself_makes_of_it(name: str, tmp_path: Path) -> None:
    """Its own way from the file to a network, and from a picture to what goes in: size, mean and spread."""
    from PIL import Image
    from safetensors.torch import load_file

    file = weights_of(3, tmp_path / "open_clip_model.safetensors")
    if name.endswith(".bin"):
        tensors = load_file(file)
        file = tmp_path / name
        torch.save(tensors, file)
    network, _, prepare = import_open_clip().create_model_and_transforms(tiny_clip(), pretrained=str(file))
    ours = picture_encoder(tiny_clip(), file).eval()
    pictures = TOY.pool.pictures[:5]
    with torch.inference_mode():
        inputs = torch.stack([prepare(Image.fromarray(picture)) for picture in pictures])
        expected = network.eval().encode_image(inputs, normalize=True)
        assert torch.allclose(ours(torch.from_numpy(pictures)), expected, atol=1e-5)
        tokens = import_open_clip().get_tokenizer(tiny_clip())(["a photo of a heron."])
        expected = network.encode_text(tokens, normalize=True) * network.logit_scale.exp()
    head = text_head(tiny_clip(), file, (("a photo of a heron.",),), torch.device("cpu"))
    assert torch.allclose(head, expected, atol=1e-4)


def test_weights_that_are_not_the_networks_are_refused_before_a_results_folder_is_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"head": torch.zeros(3)}, tmp_path / "other.pt")
    learner = f"clip:model={tiny_clip()}:weights={tmp_path / 'other.pt'}"
    call = ["bench", "run", "--dataset", "fmow", "--learner", learner, "--data-root", str(tmp_path)]
    assert run_cli([*call, "-o", str(tmp_path / "out")]) == 2
    assert "other.pt holds the weights of another architecture (it lacks " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_weights_of_another_architecture_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    file = weights_of(0, tmp_path / "weights.safetensors")
    whole = file.read_bytes()
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    for name, change, said in (
        ("wide", {"visual.proj": torch.zeros(40, 24)}, r"visual.proj is \(40, 24\) and not \(32, 24\)"),
        ("more", {"visual.extra": torch.zeros(1)}, "it has visual.extra"),
    ):
        save_file(tensors | change, tmp_path / f"{name}.safetensors")
        with pytest.raises(DataError, match=rf"another architecture \({said}\)"):
            clip(f"weights={tmp_path / name}.safetensors").fit(TOY.pool, LABELS, seed=0)
    for name, data in (("cut", whole[:-100]), ("empty", b""), ("text", b"no weights")):
        (tmp_path / f"{name}.safetensors").write_bytes(data)
        with pytest.raises(DataError, match="holds no weights that can be read"):
            clip(f"weights={tmp_path / name}.safetensors").fit(TOY.pool, LABELS, seed=0)
    with pytest.raises(DataError, match="are not there"):
        clip(f"weights={tmp_path / 'none'}").fit(TOY.pool, LABELS, seed=0)
