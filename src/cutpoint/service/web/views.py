"""The campaign as its pages show it, read from the state under the desk's lock; never more than a page of a list."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from heapq import nlargest
from itertools import islice
from typing import Any

import numpy as np

from cutpoint.service.desk.asks import Ask
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.status import Status
from cutpoint.service.log.votes import Ballots
from cutpoint.service.overview.agreement import AGREEMENT, opinions, weigh
from cutpoint.service.overview.curve_svg import curve_svg
from cutpoint.service.overview.diary import (
    KNOWN,
    LAST_HOUR,
    MEASURES,
    SECONDS_EACH,
    Diary,
    curve,
    of_no_class,
    table_of,
    title_of,
)
from cutpoint.service.overview.found import TITLES, note_of, row_of
from cutpoint.service.overview.sentences import CORRECTED, PEOPLE, asking, counts, labelled, learning, model, warnings
from cutpoint.service.overview.standing import moment, rates
from cutpoint.service.overview.strip_svg import LEGEND, Answers, ends_of
from cutpoint.service.overview.strips import Strip, Strips
from cutpoint.service.web.auth import Person
from cutpoint.service.web.shown import shown_item, whole
from cutpoint.store.base import Store
from cutpoint.types import UNKNOWN
from cutpoint.words import count

A_PAGE = 50  # answers, disputes or held items shown at one time
LEASES = 200  # shown at one time: a line each, and the team's are looked through for one person's
ELSEWHERE = "Whoever runs the campaign can see why."
PASSED = {"skip": "skipped", "unsure": "unsure", "broken": "broken"}


class Views:
    """Views of a campaign."""

    def __init__(self, desk: Desk, store: Store, strips: Strips, diary: Diary) -> None:
        """Over a desk, its store, and what follows them."""
        self._desk, self._store, self._strips, self._diary = desk, store, strips, diary

    def blind(self, visitor: Person) -> bool:
        """Whether a visitor is told nothing that follows from what others said of an item, to answer by themselves."""
        return self._desk.state.made.overlap > 1 and not visitor.admin

    def progress(self, person: Person) -> dict[str, Any]:
        """How far it is to the next training, what was found, and the person's own answers; O(classes).

        For who is blind, what was found is what they answered themselves.
        """
        with self._desk.locked:
            state = self._desk.state
            ballots, known = state.ballots, state.people.by_name.get(person.name)
            done, of = state.n_done, state.interval
            rest = state.count - ballots.n_settled - len(ballots.held)
            words = learning(done, of, rest, training=state.runs.running is not None)
            if state.without_features:  # nothing is trained
                done, of = ballots.n_settled, state.count
                words = f"{done:,} of {count(of, 'item')} labelled"
            found = self._found(person)
            mine = known.answers if known else 0
        return {"done": min(done, of), "of": of, "words": words, "found": found, "mine": mine}

    def strip(self, visitor: Person, k: int, item: int | None) -> Strip | None:
        """Class k's strip now; None before the first model, and while the newest scores are being sorted for it."""
        with self._desk.locked:
            names = self._desk.state.made.classes
            if k < len(names) and (self._strips.behind(self._desk.state) or not len(self._strips)):
                return None
        return self._strips.draw(k, names, self._answers(visitor), item)

    def place(self, ask: Ask) -> int | None:
        """Where an item lies in the order that it was asked by; None where another one is drawn. O(1)."""
        if ask.why is None or ask.why.class_ is None:
            return None
        with self._desk.locked:
            rounds = self._desk.state.rounds
            number, _ = rounds.questions.get(ask.item, (0, None))
            version = rounds.all[number - 1].data["scores"] if number else None
        return self._strips.place(ask.why.class_, ask.item, version)

    def _answers(self, visitor: Person) -> Answers:
        """The answers that a visitor's strips show: the labels of all; for who is blind, their own."""
        if self.blind(visitor):
            return self._own_answers(visitor)
        with self._desk.locked:
            news = self._strips.news(self._desk.state)
        return self._strips.answers(news)

    def _own_answers(self, visitor: Person) -> Answers:
        with self._desk.locked:
            state = self._desk.state
            known = state.people.by_name.get(visitor.name)
            own, cast = list(known.said if known else ()), state.ballots.votes.copy()
        votes = [(item, cast[item][visitor.name]) for item in own if visitor.name in cast.get(item, ())]
        items, labels = np.array(votes, np.intp).reshape(-1, 2).T
        return Answers(items, labels, np.zeros(len(items), bool), own=True)

    def _found(self, visitor: Person) -> list[int]:
        """How many there are of each class; for who is blind, of their own answers. The state must be kept still."""
        ballots = self._desk.state.ballots
        counts = ballots.given.get(visitor.name, Counter()) if self.blind(visitor) else ballots.found
        return [counts[k] for k in range(len(self._desk.state.made.classes))]

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
        """Items on which people differ: everybody's answer, the label for now, and another that these clearly say.

        decided: the latest decisions, with their numbers. O(all decisions).
        """
        with self._desk.locked:
            ballots = self._desk.state.ballots
            picked = list(islice(ballots.disputes, A_PAGE))
            cases = [_case(ballots, item) for item in picked]
            latest = nlargest(A_PAGE, ballots.decided, key=lambda item: ballots.decided[item][1])
            decided = [_case(ballots, item) | {"number": ballots.decided[item][1]} for item in latest]
            n_decided = len(ballots.decided)
            said = opinions(self._desk.state)
            total, overlap = len(ballots.disputes), self._desk.state.made.overlap
        items, judged = self._store.items(picked), self._store.items(latest)
        weighed = weigh(said).weighed
        shown = [
            shown_item(item) | case | {"weighed": weighed.get(item.index)}
            for item, case in zip(items, cases, strict=True)
        ]
        return {
            "cases": shown,
            "total": total,
            "overlap": overlap,
            "decided": [shown_item(item) | case for item, case in zip(judged, decided, strict=True)],
            "decided_total": n_decided,
        }

    def admin(self) -> dict[str, Any]:
        """Links, leases, held items and settings."""
        with self._desk.locked:
            state = self._desk.state
            links = [
                {"name": name, "admin": state.people.by_name[name].admin, "hash": hash}
                for hash, name in state.people.by_link.items()
            ]
            now = time.time()
            live, n_live = list(islice(state.leases.live.values(), LEASES)), len(state.leases.live)
            held = [
                (item, ", ".join(f"{PASSED[why]} by {who}" for who, why in state.ballots.passed[item].items()))
                for item in islice(state.ballots.held, A_PAGE)
            ]
            held_total, made = len(state.ballots.held), state.made
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
            "leases_total": n_live,
            "held": [shown_item(item) | {"why": why} for item, (_, why) in zip(items, held, strict=True)],
            "held_total": held_total,
            "settings": {
                "budget": made.budget,
                "interval": made.interval(settled),
                "overlap": made.overlap,
                "lease_seconds": f"{made.lease_seconds:.15g}",  # as it is: what is the same stays
            },
        }

    def status(self, visitor: Person) -> dict[str, Any]:
        """How the campaign stands, as numbers for programs; of other people's work an admin alone is told."""
        status = self._told(visitor)
        hidden = dict.fromkeys(("found", "disputed", "changed")) if self.blind(visitor) else {}
        return asdict(status) | hidden | {"people": self._people(status, visitor)}

    def dashboard(self, visitor: Person) -> dict[str, Any]:
        """The dashboard's parts."""
        with self._desk.locked:
            said, blind = self._told(visitor), self.blind(visitor)
            made, found = self._desk.state.made, self._found(visitor)
            now = None if blind else moment(self._desk.state)
        known = rates(now, said) if now is not None else ()
        answers = self._answers(visitor)
        shown = range(min(len(self._strips), len(made.classes)))
        strips = [self._strips.draw(k, made.classes, answers) for k in shown]
        return {
            "headline": labelled(said),
            "warnings": warnings(said),
            "found": found,
            "own": blind,
            "rates": [list(zip(TITLES, row_of(rate), strict=True)) for rate in known],
            "rates_words": note_of(known) if known else "",
            "numbers": counts(said),
            "strips": [
                {"k": s.k, "name": s.name, "words": s.words, "svg": s.svg, "ends": ends_of(s.name)} for s in strips
            ],
            "curves": list(self._curves()),
            "sentences": [f"Questions: {asking(said)}.", f"Model: {model(said)}."],
            "facts": self._facts(made.classes, blind),
            "known": KNOWN,
            "people": self._people(said, visitor),
            "people_words": f"{PEOPLE} {CORRECTED} {AGREEMENT} {LAST_HOUR} {SECONDS_EACH}",
            "legend": LEGEND,
        }

    def _curves(self) -> Iterator[dict[str, str]]:
        """The drawing of each measure that is a share and that two models have, with what it says."""
        for name, words in MEASURES.items():
            points = curve(self._diary.points, name)
            if len(points) > 1:
                title = title_of(name)
                few = " Two models so far are too few to tell a trend from chance." if len(points) == 2 else ""
                yield {"title": title.capitalize(), "svg": curve_svg(points, title), "words": words + few}

    def _facts(self, classes: Sequence[str], blind: bool) -> list[tuple[str, str]]:
        """What is known of the last model; blind: without its labels of each class."""
        points = self._diary.points[-1:]
        if blind:
            points = tuple(replace(point, measures=of_no_class(point.measures)) for point in points)
        titles, rows = table_of(points, classes)
        return [fact for row in rows for fact in zip(titles, row, strict=True)]

    def _told(self, visitor: Person) -> Status:
        """The numbers that a visitor may see: an annotator those of their own work, and no errors."""
        status = self._desk.status()
        if visitor.admin:
            return status
        own = tuple(person for person in status.people if person.name == visitor.name)
        if self.blind(visitor):
            measures = tuple((upto, of_no_class(each)) for upto, each in status.measures)
            status = replace(status, disputed=0, changed=0, measures=measures)
        return replace(  # errors name files and databases
            status,
            people=own,
            last_error=status.last_error and ELSEWHERE,
            trouble=status.trouble and ELSEWHERE,
            training_trouble=status.training_trouble and ELSEWHERE,
        )

    def _people(self, said: Status, visitor: Person) -> list[dict[str, Any]]:
        """Each person's numbers, how they agree with others, and their pace."""
        with self._desk.locked:
            shares = {} if self.blind(visitor) else self._desk.state.ballots.agreed.shares()
        now = time.time()
        rows = []
        for person in said.people:
            pace, (agreed, compared) = self._diary.pace(person.name), shares.get(person.name, (0, 0))
            rows.append(
                asdict(person)
                | {
                    "agreement": agreed / compared if compared else None,
                    "compared": compared,
                    "hour": pace.last_hour(now),
                    "pace": pace.seconds(),
                }
            )
        return rows


def _case(ballots: Ballots, item: int) -> dict[str, Any]:
    """Everybody's answer to an item, and its label."""
    votes = [(who or "imported", said) for who, said in ballots.votes.get(item, {}).items()]
    return {"votes": votes, "label": ballots.label(item)}
