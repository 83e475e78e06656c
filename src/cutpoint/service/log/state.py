"""The campaign as its log tells it: a pure fold over events, O(1) each; no clock, no file, no decision of its own.

Whoever reads a campaign (desk, trainer, report, export, replay) reads it by this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cutpoint.errors import CutpointError, DataError
from cutpoint.service.log.journal import Journal, Step
from cutpoint.service.log.leases import Leases
from cutpoint.service.log.people import People
from cutpoint.service.log.rounds import Rounds, Runs
from cutpoint.service.log.settings import Settings, settings_of
from cutpoint.service.log.votes import Ballots
from cutpoint.store.events import Event

Data = Mapping[str, Any]


class State:
    """All that follows from the events so far.

    number:   of the last event.  epoch: grows whenever a round in preparation would begin with the wrong things.
    settings: None before the campaign was created.  pools: (number, data) of every `pool_added`.  count: N.
    journal:  what sessions are told, in order.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Fold the events."""
        self.number = 0
        self.epoch = 0
        self.settings: Settings | None = None
        self.pools: list[tuple[int, Data]] = []
        self.count = 0
        self.journal = Journal()
        self.ballots = Ballots(self.journal)
        self.people = People()
        self.leases = Leases()
        self.rounds = Rounds()
        self.runs = Runs()
        self.resent: dict[str, Event] = {}  # by key: what may be sent again when it could not be done anew
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> tuple[int, ...]:
        """Take in the next event; the items whose votes or leases it touched.

        Raises CutpointError if it is not the next one, DataError if it is of an unknown kind or makes no sense.
        """
        if event.number != self.number + 1:
            raise CutpointError(
                f"event {event.number} follows event {self.number}; the log must be read in order, without a gap."
            )
        if event.kind not in _APPLY:
            raise DataError(
                f"event {event.number} is of a kind that this version of Cutpoint does not know ({event.kind!r}); open "
                "the campaign with the version that made it, or a newer one."
            )
        try:
            touched = _APPLY[event.kind](self, event.number, event.data)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(
                f"event {event.number} ({event.kind}) makes no sense ({type(error).__name__}: {error}): the log is "
                "damaged; restore the campaign from a backup."
            ) from error
        self.number = event.number  # not before: what cannot be taken in must not be passed over
        if event.kind in ("taken_back", "passed") and event.key is not None:
            self.resent[event.key] = event
        return touched

    @property
    def without_features(self) -> int:
        """How many items have no features; where there is one, no model is trained. O(pools)."""
        return sum(data["count"] for _, data in self.pools if data["features"] is None)

    @property
    def made(self) -> Settings:
        """The settings; CutpointError before the campaign was created."""
        if self.settings is None:
            raise CutpointError("the log has no campaign_created; it must be the first event: create the campaign.")
        return self.settings

    @property
    def n_free(self) -> int:
        """How many items could be asked in a new round: neither settled, passed on, half answered nor leased."""
        ballots = self.ballots
        leased = (i for i in self.leases.items if ballots.labels[i] < 0 and i not in ballots.pending)
        taken = sum(item not in ballots.held for item in leased) + len(ballots.pending) + len(ballots.held)
        return self.count - ballots.n_settled - taken

    @property
    def n_done(self) -> int:
        """How many items are news to the last model: closed since, or labelled otherwise than it knew.

        Where several people answer each item, so many that wait for more answers count as one: who works alone teaches.
        """
        ballots, upto = self.ballots, self.runs.upto
        return ballots.closed_since(upto) + len(ballots.changed) + ballots.begun_since(upto) // ballots.overlap

    @property
    def interval(self) -> int:
        """How many items must be done for the next training; for the first one, those of the first batch."""
        return self.made.interval(self.ballots.n_settled) if self.runs.scores else self.made.first

    def _created(self, number: int, data: Data) -> tuple[int, ...]:
        self.settings = settings_of(data)
        self.ballots.overlap = self.settings.overlap
        return ()

    def _class_added(self, number: int, data: Data) -> tuple[int, ...]:
        if data["name"] in self.made.classes:  # added by two processes at a time
            return ()
        self.settings = self.made.changed({"classes": (*self.made.classes, data["name"])})
        return self._break(f"the class {data['name']} was added")

    def _guideline(self, number: int, data: Data) -> tuple[int, ...]:
        self.settings = self.made.changed({"guideline": data["text"]})
        return ()

    def _settings_changed(self, number: int, data: Data) -> tuple[int, ...]:
        self.settings = self.made.changed(data)
        if self.settings.overlap != self.ballots.overlap:
            self.ballots.want(number, self.settings.overlap)
        return self._break("the settings were changed") if data.keys() - {"lease_seconds", "budget"} else ()

    def _pool_added(self, number: int, data: Data) -> tuple[int, ...]:
        self.pools.append((number, data))
        self.count += data["count"]
        self.ballots.grow(data["count"])
        if not self.runs.scores:
            return self._break("the pool has grown")
        self.epoch += 1
        return ()

    def _annotator_added(self, number: int, data: Data) -> tuple[int, ...]:
        self.people.add(data["annotator"], data["admin"])
        return ()

    def _link_made(self, number: int, data: Data) -> tuple[int, ...]:
        self.people.link(data["annotator"], data["hash"])
        return ()

    def _link_revoked(self, number: int, data: Data) -> tuple[int, ...]:
        self.people.unlink(data["annotator"], data["hash"])
        return ()

    def _imported(self, number: int, data: Data) -> tuple[int, ...]:
        for item, label in zip(data["items"], data["labels"], strict=True):
            self.ballots.impose(number, item, label, decided=data.get("decided", False))
        return tuple(data["items"])

    def _scores_published(self, number: int, data: Data) -> tuple[int, ...]:
        self.runs.publish(number, data)
        self.ballots.learn(self.runs.upto)
        self.epoch += 1
        return ()

    def _round_opened(self, number: int, data: Data) -> tuple[int, ...]:
        self.rounds.open(number, data, len(self.made.classes))
        self.epoch += 1
        return ()

    def _asked(self, number: int, data: Data) -> tuple[int, ...]:
        self.rounds.ask(data)
        return ()

    def _resized(self, number: int, data: Data) -> tuple[int, ...]:
        self.journal.steps.append(Step(number, "resize", data["round"], data["in_flight"]))
        return ()

    def _round_closed(self, number: int, data: Data) -> tuple[int, ...]:
        self.rounds.close(data["reason"])
        return ()

    def _lease_granted(self, number: int, data: Data) -> tuple[int, ...]:
        self.leases.grant(data)
        return (data["item"],)

    def _lease_extended(self, number: int, data: Data) -> tuple[int, ...]:
        self.leases.extend(data)
        return ()

    def _lease_ended(self, number: int, data: Data) -> tuple[int, ...]:
        item = self.leases.end(data["lease"])
        return () if item is None else (item,)

    def _answered(self, number: int, data: Data) -> tuple[int, ...]:
        item, name = data["item"], data["annotator"]
        self.people.answered(name, item, number, late=data["late"])
        self.leases.answered(item, name)
        self.ballots.answer(number, item, name, data["label"])
        return (item,)

    def _corrected(self, number: int, data: Data) -> tuple[int, ...]:
        changed = data["label"] != data["was"]  # or it is an answer that was sent again under another key
        self.people.corrected(data["annotator"], data["item"], number, changed=changed)
        self.ballots.answer(number, data["item"], data["annotator"], data["label"])
        return (data["item"],)

    def _taken_back(self, number: int, data: Data) -> tuple[int, ...]:
        self.people.unsaid(data["annotator"], data["item"])
        self.ballots.take_back(number, data["item"], data["annotator"])
        return (data["item"],)

    def _passed(self, number: int, data: Data) -> tuple[int, ...]:
        item, name = data["item"], data["annotator"]
        self.people.passed(name, item, number)
        self.leases.answered(item, name)
        self.ballots.pass_on(number, item, name, data["why"])
        return (item,)

    def _adjudicated(self, number: int, data: Data) -> tuple[int, ...]:
        self.ballots.adjudicate(number, data["item"], data["label"])
        return (data["item"],)

    def _released(self, number: int, data: Data) -> tuple[int, ...]:
        for name in self.ballots.passed.get(data["item"], ()):
            self.people.unsaid(name, data["item"])
        self.ballots.release(number, data["item"])
        return (data["item"],)

    def _training_started(self, number: int, data: Data) -> tuple[int, ...]:
        self.runs.start(data)
        return ()

    def _training_finished(self, number: int, data: Data) -> tuple[int, ...]:
        self.runs.finish()
        return ()

    def _training_failed(self, number: int, data: Data) -> tuple[int, ...]:
        self.runs.fail(data)
        return ()

    def _training_stopped(self, number: int, data: Data) -> tuple[int, ...]:
        self.runs.stop()
        return ()

    def _break(self, reason: str) -> tuple[int, ...]:
        self.rounds.break_(reason)
        self.epoch += 1
        return ()


_APPLY: Mapping[str, Callable[[State, int, Data], tuple[int, ...]]] = MappingProxyType(
    {
        "campaign_created": State._created,
        "class_added": State._class_added,
        "guideline_set": State._guideline,
        "settings_changed": State._settings_changed,
        "pool_added": State._pool_added,
        "annotator_added": State._annotator_added,
        "link_made": State._link_made,
        "link_revoked": State._link_revoked,
        "labels_imported": State._imported,
        "scores_published": State._scores_published,
        "round_opened": State._round_opened,
        "asked": State._asked,
        "resized": State._resized,
        "round_closed": State._round_closed,
        "lease_granted": State._lease_granted,
        "lease_extended": State._lease_extended,
        "lease_ended": State._lease_ended,
        "answered": State._answered,
        "corrected": State._corrected,
        "taken_back": State._taken_back,
        "passed": State._passed,
        "adjudicated": State._adjudicated,
        "released": State._released,
        "training_started": State._training_started,
        "training_finished": State._training_finished,
        "training_failed": State._training_failed,
        "training_stopped": State._training_stopped,
    }
)
"""Kind of event -> what it does to the state; the same kinds as in `store.events.KINDS`, as a test compares."""
