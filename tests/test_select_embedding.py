"""`cutpoint select` with strategies that read an embedding and a head: found, missing, or not to be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutpoint import STRATEGIES, Round, Session
from cutpoint.data.sheets import read_labels, read_scores
from select_command import K, N, refused, select, sheet, write_scores

D = 6
READERS = {name: entry.needs - {"probs"} for name, entry in STRATEGIES.items() if entry.needs & {"embedding", "head"}}


def layers(**other: Any) -> dict[str, Any]:
    """An embedding and a head, or what is given in their place."""
    rng = np.random.default_rng(2)
    arrays = {"embedding": rng.normal(size=(N, D)).astype(np.float32), "head": rng.normal(size=(K, D + 1))}
    return {name: array for name, array in (arrays | other).items() if array is not None}


@pytest.mark.parametrize("strategy", READERS)
def test_what_reads_the_embedding_asks_what_a_session_asks(strategy: str, folder: Path) -> None:
    write_scores(folder / "scores.npz", **layers())
    assert select("-l", "labels.csv", "--budget", "30", "-o", "ask.csv", "--strategy", strategy) == 0
    scored = read_scores(Path("scores.npz"))
    session = Session(
        STRATEGIES[strategy].strategy, Round(scored.scores, read_labels([Path("labels.csv")], scored), 30, 30)
    )
    assert [int(row["index"]) for row in sheet()] == session.asked.tolist()
    assert len(sheet()) == 30


@pytest.mark.parametrize("strategy", READERS)
def test_a_missing_array_is_one_sentence_with_what_to_save(
    strategy: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [f"{strategy} reads {' and '.join(sorted(READERS[strategy]))}, and scores.npz has no embedding"]
    said += ["np.savez(path, probs=probs, embedding=embedding", "or choose another strategy"]
    refused(capsys, said, "-o", "ask.csv", "--strategy", strategy)
    if "head" in READERS[strategy]:
        write_scores(folder / "scores.npz", **layers(head=None))
        said = [f"{strategy} reads head, and scores.npz has no head;", "embedding=embedding, head=head)"]
        refused(capsys, said, "-o", "ask.csv", "--strategy", strategy)
    assert not Path("ask.csv").exists()


def test_an_array_of_another_name_is_said_where_one_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scores(folder / "scores.npz", embeddings=np.ones((N, 2)))
    said = ["has no embedding (it holds embeddings, which nothing reads);"]
    refused(capsys, said, "-o", "ask.csv", "--strategy", "coreset")


def with_bad_row(value: float) -> Any:
    embedding = layers()["embedding"]
    embedding[7, 1] = value
    return embedding


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "NaN": ({"embedding": with_bad_row(float("nan"))}, ["embedding[7] holds NaN"]),
    "infinite": ({"embedding": with_bad_row(float("inf"))}, ["embedding[7]"]),
    "short": ({"embedding": np.ones((N - 1, D))}, [f"({N - 1}, {D})", f"must be ({N}, D)"]),
    "flat": ({"embedding": np.ones(N)}, [f"shape ({N},)"]),
    "words": ({"embedding": np.full((N, D), "a")}, ["embedding holds"]),
    "complex": ({"embedding": np.full((N, D), 1j)}, ["embedding holds complex128"]),
    "rows of a head": ({"head": np.ones((K - 1, D))}, [f"head has shape ({K - 1}, {D})", f"({K}, D)"]),
    "columns of a head": ({"head": np.ones((K, D + 2))}, [f"head has {D + 2} columns", f"{D + 1} with the bias last"]),
    "NaN in a head": ({"head": np.full((K, D), np.nan)}, ["head[0]", "finite"]),
    "-inf as a weight": ({"head": np.full((K, D), -np.inf)}, ["head[0]", "finite"]),
}


@pytest.mark.parametrize("strategy", ["badge", "base", "direct"])
@pytest.mark.parametrize("case", BAD)
def test_bad_layers_are_one_sentence_whoever_reads_them(
    case: str, strategy: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scores(folder / "scores.npz", **layers(**BAD[case][0]))
    refused(capsys, ["scores.npz", *BAD[case][1]], "-o", "ask.csv", "--strategy", strategy)
    assert not Path("ask.csv").exists()


ODD: dict[str, dict[str, Any]] = {
    "no columns": {"embedding": np.ones((N, 0)), "head": np.ones((K, 1))},
    "one column": {"embedding": np.arange(N, dtype=float)[:, None], "head": np.ones((K, 2))},
    "constant": {"embedding": np.ones((N, D))},
    "half precision": {"embedding": layers()["embedding"].astype(np.float16)},
    "whole numbers": {"embedding": np.arange(N * D).reshape(N, D)},
    "columns as rows in memory": {"embedding": np.asfortranarray(layers()["embedding"])},
    "very large": {"embedding": layers()["embedding"] * np.float32(1e30)},
    "larger than single precision": {"embedding": layers()["embedding"].astype(np.float64) * 1e100},
    "very small": {"embedding": layers()["embedding"] * np.float32(1e-30)},
    "a class that the head does not know": {"head": np.c_[layers()["head"][:, :-1], [0.0, -np.inf, 0.0]]},
}


@pytest.mark.parametrize("strategy", READERS)
@pytest.mark.parametrize("case", ODD)
def test_odd_layers_are_borne(case: str, strategy: str, folder: Path) -> None:
    write_scores(folder / "scores.npz", **layers(**ODD[case]))
    assert select("-l", "labels.csv", "--budget", "20", "-o", "ask.csv", "--strategy", strategy, "--quiet") == 0
    assert len({row["index"] for row in sheet()}) == 20


def test_what_a_strategy_logs_is_said_aside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scores(folder / "scores.npz", **layers())
    command = ["--budget", "20", "--strategy", "similar"]
    assert select(*command, "-o", "none.csv") == 0
    said = capsys.readouterr().err
    assert said.startswith("note: similar: no example of a minority class")
    assert said.count("\n") == 1
    assert select(*command, "-o", "quiet.csv", "--quiet") == 0
    assert select(*command, "-l", "labels.csv", "-o", "some.csv") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("strategy", READERS)
def test_an_embedding_that_tells_nothing_apart_is_said_aside(
    strategy: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["-l", "labels.csv", "--budget", "20", "--strategy", strategy]
    equal = np.ones((N, D))
    write_scores(folder / "scores.npz", **layers(embedding=equal))
    assert select(*call, "-o", "equal.csv") == 0
    assert f"note: {strategy}: all rows of the embedding are equal" in capsys.readouterr().err
    equal[-1, 0] = 2
    write_scores(folder / "scores.npz", **layers(embedding=equal))
    assert select(*call, "-o", "one.csv") == 0
    assert "are equal" not in capsys.readouterr().err
