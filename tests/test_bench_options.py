"""`cutpoint bench run`: the options, presets and what of them is refused."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench_command import ARGUMENTS, SIZES, TINY, refused
from cutpoint.cli import run_cli
from cutpoint.data import DataOptions
from cutpoint.errors import CutpointError, UsageError
from cutpoint.experiment.config import make_config
from cutpoint.experiment.observed import canonical_noise
from cutpoint.experiment.presets import PRESETS, preset
from cutpoint.experiment.results import read_results
from cutpoint.learners import LEARNERS
from cutpoint.strategies import STRATEGIES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategies", "direct,guess"], "there is no strategy 'guess'; choose from direct, galaxy"),
        (["--dataset", "nope"], "there is no data set 'nope'"),
        (["--dataset", "cifar10-jpeg-2", "--data-root", "nowhere"], "put cifar10_jpeg_features.npz into nowhere"),
        (["--bogus", "1"], "there is no option --bogus; see"),
        (["--budget", "0"], "budget is 0; it must be at least 1"),
        (["--budget", "ten"], "--budget is 'ten'; it must be a whole number"),
        (["--first", "0"], "first is 0"),
        (["--first", "-5"], "first is -5"),
        (["--rounds", "-1"], "rounds is -1"),
        (["--seeds", "0"], "seeds is 0"),
        (["--parallel", "0"], "parallel is 0"),
        (["--parallel", "few"], "parallel is 'few'"),
        (["--jobs", "0"], "jobs is 0"),
        (["--first", "190"], "need 210 examples, and the pool of drawn:n=200:test=40:d=4 has 200; lower --first"),
        (["--noise", "1.5"], "the noise rate is 1.5"),
        (["--noise", "nan"], "the noise rate is nan"),
        (["--noise", "some"], "the noise 'some' is unknown"),
        (["--noise", "human:"], "names nothing"),
        (["--noise", "human:worse"], "data set drawn:n=200:test=40:d=4 has no label column 'worse'"),
        (["--noise", "human:x", "--dataset", "digits-2"], "data set digits-2 has no label column 'x' for the noise"),
        (["--noise", "human:x", "--dataset", "digits-2", "--dry-run", "--quiet"], "it has none: give a rate"),
        (["--noise", "matrix:none.csv"], "none.csv cannot be read"),
        (["--noise", "annotators:"], "names nothing"),
        (["--noise", "annotators:none.npy"], "none.npy cannot be read"),
        (["--noise", "0.1,0.10"], "twice"),
        (["--learner", "tree"], "there is no learner 'tree'"),
        (["--preset", "huge"], "there is no preset 'huge'; choose from quick, features"),
        (["--learner", "logistic:C=0.01:C=2"], "learner logistic: C is given twice"),
        (
            ["--group", "2", "--dataset", "digits"],
            "--group is for data files only, and digits is a data set of its own",
        ),
        (
            ["--label-column", "kind"],
            "--label-column is for data files only, and drawn:n=200:test=40:d=4 is a data set",
        ),
    ],
)
def test_bad_options_are_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    out = tmp_path / "out"
    given = [*ARGUMENTS, *SIZES, "--out", str(out)]
    for flag, value in zip(arguments[::2], arguments[1::2], strict=True):
        if flag in given:
            given[given.index(flag) + 1] = value
        else:
            given += [flag, value]
    assert message in refused(capsys, given)
    assert not out.exists()


def test_what_is_missing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no data set is given; name one with --dataset" in refused(capsys, ["bench", "run"])
    assert "name one with --out" in refused(capsys, [*ARGUMENTS, *SIZES])
    assert "see `cutpoint bench --help`" in refused(capsys, ["bench", "walk"])


def test_all_missing_data_sets_are_named_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUTPOINT_DATA", raising=False)
    given = ["bench", "run", "--dataset", "digits-2,imb-svhn-2,fmow,cifar10-jpeg-2", "-o", str(tmp_path / "out")]
    said = "the data sets imb-svhn-2, fmow, cifar10-jpeg-2 are needed, and no data root is set; fetch with `cutpoint "
    said += "data fetch imb-svhn-2 fmow --data-root FOLDER` and put cifar10_jpeg_features.npz into FOLDER."
    assert said in refused(capsys, given)
    assert f"{tmp_path} does not hold them" in refused(capsys, [*given, "--data-root", str(tmp_path)])


def test_dry_run_prints_runs_and_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([*ARGUMENTS, *SIZES, "--dry-run", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "12 runs, about" in printed
    assert "direct (1, 5), random" in printed
    assert not (tmp_path / "out").exists()


def test_one_is_said_in_the_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = ["bench", "run", "--dataset", "drawn:n=200:test=40:d=4", "--strategies", "random", "--seeds", "1"]
    one += [*SIZES[2:], "--out", str(tmp_path / "out")]
    assert run_cli([*one, "--dry-run"]) == 0
    said = r"1 run, about \d+\.\d minutes with 1 process \(estimated\)"
    assert re.fullmatch(said, capsys.readouterr().out.splitlines()[-1])
    assert run_cli(one) == 0
    assert capsys.readouterr().out.startswith(f"1 run done: {tmp_path / 'out'}\n")
    assert "and 1 round of 900 need 910 examples" in refused(capsys, [*one, "--rounds", "1", "--budget", "900"])


def test_presets_are_what_they_are_said_to_be() -> None:
    quick, features = (make_config(preset(name)) for name in ("quick", "features"))
    assert set(PRESETS) == {"quick", "features"}
    assert len(quick.runs()) == 2 * 3 * 6 * quick.seeds
    assert set(features.strategies) == set(STRATEGIES)
    assert len(features.runs()) == (2 * 6 + 3) * (len(STRATEGIES) + 2) * 10
    assert features.first + features.rounds * features.budget == 1100


def test_a_preset_can_be_overridden(tmp_path: Path) -> None:
    given = ["bench", "run", "--preset", "quick", "--dataset", "digits-2", "--strategies", "random"]
    given += ["--seeds", "1", "--rounds", "1", "--noise", "0"]
    assert run_cli([*given, "--learner", "logistic:C=0.01", "--jobs", "1", "-q", "--out", str(tmp_path)]) == 0
    stored, rows = read_results(tmp_path)
    assert stored["preset"] == "quick"
    assert {row.value for row in rows if row.metric == "C"} == {0.01}


def test_unknown_options_are_refused_in_the_library_too() -> None:
    with pytest.raises(UsageError, match="colour"):
        make_config({**TINY, "colour": "red"})
    with pytest.raises(CutpointError, match="strategies"):
        make_config({**TINY, "strategies": []})
    with pytest.raises(UsageError, match="'direct' twice"):
        make_config({**TINY, "strategies": ["direct", "direct"]})


def test_a_rate_keeps_its_digits_and_the_given_options_stay_as_they_are() -> None:
    assert [canonical_noise(text) for text in ("0.1234567", "-0", "0.0", "1", "0.10", " 1e-7 ")] == [
        *("0.1234567", "0", "0", "1", "0.1", "1e-07")
    ]
    given = {**TINY, "suites": [{"datasets": ["digits-2"], "noise": ["0.10", "0"]}]}
    assert make_config(given).suites[0].noise == ("0.1", "0")
    assert given["suites"] == [{"datasets": ["digits-2"], "noise": ["0.10", "0"]}]
    with pytest.raises(UsageError, match="'digits-2 at noise 0' twice"):
        make_config({**TINY, "suites": [{"datasets": ["digits-2"], "noise": ["0", "-0"]}]})


@pytest.mark.parametrize("suites", [5, [5], [{"datasets": ["digits-2"], "noise": "0.1"}], [{"datasets": 3}]])
def test_suites_that_are_none_are_refused(suites: object) -> None:
    with pytest.raises(UsageError, match=r"option suites.* correct it"):
        make_config({**TINY, "suites": suites})


def test_options_of_files_are_for_the_files_among_the_data_sets() -> None:
    suites = [{"datasets": ["digits-2", "toy.npz"], "noise": ["0"]}]
    config = make_config({**TINY, "suites": suites, "label_column": "kind", "split_column": "part", "group": 2})
    assert config.data_options("digits-2") == DataOptions()
    assert config.data_options("toy.npz") == DataOptions(label="kind", split="part", group=2)


@pytest.mark.parametrize(
    ("learner", "said"),
    [
        ("torch-linear:device=mps", "the device is 'mps', and torch finds"),
        ("torch-mlp:device=mps", "the device is 'mps', and torch finds"),
        ("resnet18:weights=none:device=mps", "the device is 'mps', and torch finds"),
        ("clip:weights=none:device=mps", "the device is 'mps', and torch finds"),
        ("clip:weights=none:tune=frozen:device=mps", "the device is 'mps', and torch finds"),
        ("clip:weights=none:model=clop", "there is no architecture 'clop'"),
        ("clip:weights=none:model=RN50:tune=frozen:cache=file/x", "the embedding cannot be kept in file/x"),
    ],
)
def test_what_a_learner_lacks_is_said_before_a_folder_is_begun(
    learner: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    if find_spec("open_clip") is None:
        pytest.skip("open_clip is not installed")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    given = ["bench", "run", "--dataset", "digits-2", "--strategies", "random", "--learner", learner, "-o", "out"]
    assert said in refused(capsys, given)
    assert not Path("out").exists()


def test_every_learner_is_listed_with_its_options_and_named_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["bench", "learners"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == list(LEARNERS)
    assert "clip: reads pictures; needs torch, torchvision, open_clip_torch, safetensors" in lines
    assert lines[-3:] == [
        "  encoder    the path of an .onnx file",
        "  head       one of logistic, torch-linear, torch-mlp",
        "  cache      auto, none or the path of a folder",
    ]
    assert run_cli(["bench", "run", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert ", ".join(list(LEARNERS)[:-1]) + f" or {list(LEARNERS)[-1]}" in told
    assert "all: cutpoint data list" in told
