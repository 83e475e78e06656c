"""The campaign as its pages show it, read from the state under the desk's lock; never more than a page of a list."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from cutpoint.service.desk.desk import Desk
from cutpoint.service.overview.agreement import AGREEMENT
from cutpoint.service.overview.curve_svg import curve_svg
from cutpoint.service.overview.diary import MEASURES, Diary, title_of
from cutpoint.service.overview.strip_svg import LEGEND
from cutpoint.service.overview.strips import Strip, Strips
from cutpoint.service.web.auth import Person
from cutpoint.service.web.shown import shown_item, whole
from cutpoint.store.base import Store
from cutpoint.types import UNKNOWN
from cutpoint.words import count

A_PAGE = 50  # answers, disputes, leases or held items shown at one time
ELSEWHERE = "Whoever runs the campaign can see why."
PASSED = {"skip": "skipped", "unsure": "unsure", "broken": "broken"}


class Views:
    """Views of a campaign."""

    def __init__(self, desk: Desk, store: Store, strips: Strips, diary: Diary) -> None:
        """Over a desk, its store, and what follows them."""
        self._desk, self._store, self._strips, self._diary = desk, store, strips, diary

    def progress(self, person: Person) -> dict[str, Any]:
        """How far it is to the next training, what was found, and the person's own answers; O(classes)."""
        with self._desk.locked:
            state = self._desk.state
            ballots, known = state.ballots, state.people.by_name.get(person.name)
            of = state.interval
            done = min(ballots.closed_since(state.runs.upto), of)
            found = [ballots.found[k] for k in range(len(state.made.classes))]
            mine = known.answers if known else 0
        return {"done": done, "of": of, "words": _until(done, of), "found": found, "mine": mine}

    def strip(self, k: int, item: int | None) -> Strip | None:
        """Class k's strip now; None while the newest scores are being sorted for it."""
        with self._desk.locked:
            if self._strips.behind(self._desk.state):
                return None
            news, names = self._strips.news(self._desk.state), self._desk.state.made.classes
        return self._strips.draw(k, names, self._strips.answers(news), item)

    def mine(self, person: Person, before: int | None) -> dict[str, Any]:
        """A page of the person's answers and passes, the latest first; `before`: the number where the page begins."""
        with self._desk.locked:
            state = self._desk.state
            known = state.people.by_name.get(person.name)
            said = reversed(known.said.items()) if known else iter(())
            page = list(islice((pair for pair in said if before is None or pair[1] < before), A_PAGE + 1))
            answers = [
                {
                    "label": None if (label := state.ballots.vote(item, person.name)) == UNKNOWN else label,
                    "said": PASSED.get(state.ballots.passed.get(item, {}).get(person.name, ""), "passed"),
                }
                for item, _ in page[:A_PAGE]
            ]
            answered, passed = (known.answers, known.passes) if known else (0, 0)
        items = self._store.items([item for item, _ in page[:A_PAGE]])
        return {
            "answers": [shown_item(item) | answer for item, answer in zip(items, answers, strict=True)],
            "answered": answered,
            "passed": passed,
            "more": page[A_PAGE - 1][1] if len(page) > A_PAGE else None,
        }

    def disputes(self) -> dict[str, Any]:
        """Items on which people differ, with everybody's answer and the label for now."""
        with self._desk.locked:
            ballots = self._desk.state.ballots
            picked = list(islice(ballots.disputes, A_PAGE))
            cases = [
                {
                    "votes": [(who or "imported", said) for who, said in ballots.votes[item].items()],
                    "label": ballots.label(item),
                }
                for item in picked
            ]
            total, overlap = len(ballots.disputes), self._desk.state.made.overlap
        items = self._store.items(picked)
        shown = [shown_item(item) | case for item, case in zip(items, cases, strict=True)]
        return {"cases": shown, "total": total, "overlap": overlap}

    def admin(self) -> dict[str, Any]:
        """Links, leases, held items and settings."""
        with self._desk.locked:
            state = self._desk.state
            links = [
                {"name": name, "admin": state.people.by_name[name].admin, "hash": hash}
                for hash, name in state.people.by_link.items()
            ]
            now = time.time()
            live = list(islice(state.leases.live.values(), 200))
            held = [
                (item, ", ".join(f"{PASSED[why]} by {who}" for who, why in passes.items()))
                for item, passes in islice(state.ballots.passed.items(), A_PAGE)
            ]
            held_total, made = len(state.ballots.passed), state.made
            settled = state.ballots.n_settled
        leased = self._store.items([lease.item for lease in live])
        items = self._store.items([item for item, _ in held])
        return {
            "links": sorted(links, key=lambda link: (not link["admin"], link["name"])),
            "leases": [
                {"id": whole(item.id), "name": lease.annotator, "left": max(0, round(lease.until - now))}
                | {"lease": lease.lease}
                for lease, item in zip(live, leased, strict=True)
            ],
            "held": [shown_item(item) | {"why": why} for item, (_, why) in zip(items, held, strict=True)],
            "held_total": held_total,
            "settings": {
                "budget": made.budget,
                "interval": made.interval(settled),
                "overlap": made.overlap,
                "lease_seconds": round(made.lease_seconds),
            },
        }

    def status(self, visitor: Person) -> dict[str, Any]:
        """How the campaign stands, as numbers for programs; of other people's work an admin alone is told."""
        with self._desk.locked:
            status, free = self._desk.status(), self._desk.state.n_free
        numbers = asdict(status)
        del numbers["measures"]
        if not visitor.admin:  # errors name files and databases
            numbers |= {said: numbers[said] and ELSEWHERE for said in ("trouble", "last_error")}
        return numbers | {"free": free, "people": self._people(visitor)}

    def dashboard(self, visitor: Person) -> dict[str, Any]:
        """The dashboard's parts."""
        numbers = self.status(visitor)
        with self._desk.locked:
            made = self._desk.state.made
            news = self._strips.news(self._desk.state)
        answers = self._strips.answers(news)
        shown = range(min(len(self._strips), len(made.classes)))
        strips = [self._strips.draw(k, made.classes, answers) for k in shown]
        return {
            "headline": _headline(numbers),
            "trouble": _trouble(numbers),
            "found": list(numbers["found"]),
            "numbers": _cards(numbers),
            "strips": [{"k": s.k, "name": s.name, "words": s.words, "svg": s.svg} for s in strips],
            "curves": list(self._curves()),
            "model": _model(numbers),
            "facts": self._facts(made.classes),
            "people": numbers["people"],
            "agreement": AGREEMENT,
            "legend": LEGEND,
        }

    def _curves(self) -> Iterator[dict[str, str]]:
        """The drawing of each measure that is a share and that two models have, with what it says."""
        for name, words in MEASURES.items():
            known = [point for point in self._diary.points if name in point.measures]
            points = [(point.answers, float(point.measures[name])) for point in known]
            if len(points) > 1:
                title = title_of(name, ())
                few = " Two models so far are too few to tell a trend from chance." if len(points) == 2 else ""
                yield {"title": title.capitalize(), "svg": curve_svg(points, title), "words": words + few}

    def _facts(self, classes: Sequence[str]) -> list[tuple[str, str]]:
        """What was measured of the last model, in words; what it found of each class is one fact."""
        measured = dict(self._diary.points[-1].measures) if self._diary.points else {}
        counts = [(name, measured.pop(f"found_{k}", 0)) for k, name in enumerate(classes)]
        facts = [(title_of(name, classes), _value(name, value)) for name, value in measured.items()]
        known = ", ".join(f"{count:,.0f} {name}" for name, count in counts if count)
        return [*facts, ("of each class", known)] if known else facts

    def _people(self, visitor: Person) -> list[dict[str, Any]]:
        """Everybody for an admin, oneself for an annotator."""
        with self._desk.locked:
            people = self._desk.state.people.by_name
            picked = list(people.values()) if visitor.admin else [p for p in people.values() if p.name == visitor.name]
            counts = [(p.name, p.answers, p.passes) for p in picked if not p.admin or p.answers]
            shares = self._desk.state.ballots.agreed.shares()
        now = time.time()
        rows = []
        for name, answers, passes in counts:
            pace, both = self._diary.paces.get(name), shares.get(name)
            seconds = pace.seconds() if pace else None
            rows.append(
                {
                    "name": name,
                    "answers": answers,
                    "passed": passes,
                    "agreement": f"{100 * both[0] / both[1]:.0f} % of {both[1]:,}" if both else "–",
                    "hour": pace.last_hour(now) if pace else 0,
                    "pace": f"{seconds:.1f}" if seconds is not None else "–",
                }
            )
        return rows


def _model(numbers: dict[str, Any]) -> str:
    """What the model does."""
    if numbers["training"]:
        return "A model is being trained on the answers so far; questions go on meanwhile."
    if numbers["scores"] is None:
        return "There is no model yet: the first questions are drawn at random."
    return f"Model {numbers['scores']} chooses the questions."


def _value(measure: str, value: float) -> str:
    """A measure's value: a share in per cent, a count in full."""
    if measure in MEASURES:
        return f"{100 * value:.0f} %"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


def _until(done: int, of: int) -> str:
    """How far it is to the next training."""
    if done == of:
        return "The model is learning."
    return f"{count(of - done, 'more answer')} until the model learns again; {done} of {of} are there"


def _headline(numbers: dict[str, Any]) -> str:
    items, labelled = numbers["items"], numbers["labelled"]
    return f"{labelled:,} of {count(items, 'item')} labelled; {numbers['free']:,} could still be asked."


def _trouble(numbers: dict[str, Any]) -> str | None:
    if not numbers["failures"]:
        return f"Something is amiss at the desk: {numbers['trouble']}" if numbers["trouble"] else None
    times = "once" if numbers["failures"] == 1 else f"{numbers['failures']} times in a row"
    error = numbers["last_error"]
    return f"The last training failed ({times}): {error} The last good model goes on choosing questions."


def _cards(numbers: dict[str, Any]) -> list[tuple[str, str]]:
    cards = [(f"{numbers['labelled']:,}", "labelled"), (f"{numbers['leases']:,}", "with people now")]
    if numbers["held"]:
        cards.append((f"{numbers['held']:,}", "held: skipped, unsure, broken"))
    if numbers["disputed"]:
        cards.append((f"{numbers['disputed']:,}", "disputed"))
    return cards
