"""`cutpoint cite`: the registry's BibTeX, one or several or all, and entries that a bibliography can hold."""

from __future__ import annotations

import re

import pytest

from cutpoint import STRATEGIES
from cutpoint.cli import run_cli


def entries(text: str) -> list[str]:
    """The entries of a BibTeX file, without what stands between them."""
    return [f"@{part.strip()}" for part in re.sub(r"^%.*\n", "", text, flags=re.MULTILINE).split("@")[1:]]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_name_prints_its_entry_and_nothing_else(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["cite", name]) == 0
    assert capsys.readouterr().out == STRATEGIES[name].cite + "\n"


def test_several_names_print_each_entry_once_with_the_names_above(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["cite", "entropy", "direct", "random", "entropy"]) == 0
    out = capsys.readouterr().out
    assert entries(out) == [STRATEGIES["entropy"].cite, STRATEGIES["direct"].cite]
    assert [line for line in out.splitlines() if line.startswith("%")] == ["% entropy, random", "% direct"]


def test_without_a_name_all_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["cite"]) == 0
    out = capsys.readouterr().out
    assert entries(out) == list(dict.fromkeys(entry.cite for entry in STRATEGIES.values()))
    named = re.findall(r"\w+", " ".join(line for line in out.splitlines() if line.startswith("%")))
    assert sorted(named) == sorted(STRATEGIES)


@pytest.mark.parametrize("names", [["oracle"], ["direct", "Direct"], [""]])
def test_an_unknown_name_is_one_sentence_and_prints_no_entry(
    names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["cite", *names]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    hint = "did you mean 'direct'? Choose" if names[-1] == "Direct" else "choose"
    assert err == f"error: there is no strategy '{names[-1]}'; {hint} from {', '.join(STRATEGIES)}.\n"


def test_every_entry_is_whole_and_keys_do_not_meet() -> None:
    keys: dict[str, str] = {}
    for name, entry in STRATEGIES.items():
        head = re.match(r"@(article|inproceedings|techreport|misc)\{([a-z]+\d{4}[a-z]+),\n", entry.cite)
        assert head, f"{name}: the entry begins {entry.cite[:40]!r}"
        assert entry.cite.count("{") == entry.cite.count("}")
        assert entry.cite.endswith("\n}")
        for field in ("title", "author", "year"):
            assert re.search(rf"^  {field} = \{{[^=]+\}},$", entry.cite, re.MULTILINE), f"{name} has no {field}"
        assert keys.setdefault(head[2], entry.cite) == entry.cite, f"{head[2]} names two entries"
