"""What is mistyped on the command line is told in sentences of our own, and only what is near is suggested."""

from __future__ import annotations

import pytest

from bench_command import refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("init c --tpyo", "there is no option --tpyo; see `cutpoint init --help`."),
        ("init c --npyy x", "there is no option --npyy; did you mean --npy? See `cutpoint init --help`."),
        ("paper run fig11 -x", "there is no option -x; see `cutpoint paper run --help`."),
        ("inti", "there is no command inti; did you mean init? See `cutpoint --help`."),
        ("bench walk", "there is no command walk; see `cutpoint bench --help`."),
        ("init c --budget abc -q", "--budget is 'abc'; it must be a whole number; see `cutpoint init --help`."),
        ("init c --budget=1.5", "--budget is '1.5'; it must be a whole number; see `cutpoint init --help`."),
        ("init c --lease-minutes x", "--lease-minutes is 'x'; it must be a number; see `cutpoint init --help`."),
        (
            "export c --format labelstudio",
            "--format is 'labelstudio'; it must be one of csv, jsonl, parquet, label-studio; "
            "see `cutpoint export --help`.",
        ),
        ("init c", "--classes is missing; see `cutpoint init --help`."),
        ("status", "NAME is missing; see `cutpoint status --help`."),
        ("init c --classes", "--classes has no value; write one after it."),
        ("status c --json=3", "--json takes no value; leave it out."),
        ("status c d e", "'d e' is too much; leave it out; see `cutpoint status --help`."),
    ],
)
def test_a_mistake_is_one_sentence_in_our_own_words(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, words.split()) == f"error: {said}\n"
