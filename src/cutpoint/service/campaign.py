"""A campaign in a script: open, add a pool, ask, tell; close and go on another day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from cutpoint.errors import UsageError
from cutpoint.service.adding import read_pool
from cutpoint.service.desk.asks import Ask, Asks, Receipt
from cutpoint.service.desk.desk import Desk
from cutpoint.service.desk.status import Status
from cutpoint.service.log.names import check_new_classes
from cutpoint.service.log.settings import BEGUN, Settings, check_limits, checked_classes
from cutpoint.service.log.state import State
from cutpoint.service.place import open_to_work, title
from cutpoint.service.training.supervisor import LIMIT, TrainerProcess, trainer_command
from cutpoint.service.training.trainer import Trainer
from cutpoint.service.training.training import check_learner
from cutpoint.store.base import Repeated, Store
from cutpoint.store.events import New, check, check_text
from cutpoint.store.files import ArrayFiles
from cutpoint.strategies import entry_of
from cutpoint.types import seconds_above_zero

Train = Literal["process", "inline", "off"]
Question = Ask | int | str
ME = "me"  # who is asked, and who answers, where a script names nobody


class Campaign:
    """A campaign that is made, or opened as it was left; nothing that was told is ever lost.

    where: a name as commands take it ("birds": the file of that name where it is a campaign's, else birds.db),
    "postgresql://...", or a `Store`.  classes: their names; may be left out where it is there.
    train: "process" beside this one, "inline" within `ask`, or "off".  training_limit: seconds after which a training
    of that process is taken for hung.  files: where arrays are kept, if not beside it.  new_round: where the running
    round cannot be made again, end it and begin another; no answer is lost by it.
    settings: any of `Settings` (seed, strategy, first, budget, overlap, ...), for a campaign that is made.

    A script of one person need name nobody: without `annotator`, questions go to a person called "me", whose answers
    are counted under that name everywhere; what is said of an `Ask` is said by whoever was asked.

    Raises UsageError where the campaign has other classes or settings than given, or somebody else has it open or
    trains it.
    """

    def __init__(
        self,
        where: str | Path | Store,
        classes: Iterable[str] | None = None,
        *,
        train: Train = "process",
        training_limit: float = LIMIT,
        files: str | Path | None = None,
        new_round: bool = False,
        **settings: Any,
    ) -> None:
        _check_train(train, where, files)
        unknown = sorted(settings.keys() - {field.name for field in fields(Settings)})
        if unknown:
            raise UsageError(f"a campaign has no setting {unknown[0]!r}; see Settings for those it has.")
        if classes is not None:
            classes = checked_classes(classes)
            meant = Settings(**{"name": _name(where), **settings, "classes": classes})
            _check_new(meant, train)  # before a file is made
        self._train, self._limit = train, seconds_above_zero(training_limit, "the limit of a training")
        self._trainer: TrainerProcess | Trainer | None = None
        self._store: Store
        self._files: ArrayFiles | None
        self._url = self._folder = None
        with ExitStack() as opened:
            if isinstance(where, str | Path):
                store, self._files = open_to_work(where, files, create=classes is not None)
                opened.callback(store.close)
                self._store, self._url = store, store.address
                self._folder = None if files is None else str(self._files.folder)
            else:
                self._store, self._files = where, None if files is None else ArrayFiles(files)
            self._begin(_name(where), classes, settings)
            self._desk = Desk(self._store, self._files, new_round=new_round)
            opened.callback(self._desk.close)
            if train == "inline":
                opened.enter_context(self._store.own("trainer"))
            self._opened = opened.pop_all()
        if train == "process":
            self._desk.start()  # rounds are made beside the script, too
        self._start_training()

    # --- the pool -------------------------------------------------------------------------------------

    def add_pool(
        self,
        ids: Iterable[str] | None = None,
        embeddings: Any = None,
        *,
        contents: Iterable[Mapping[str, Any]] | None = None,
        source: str | Path = "",
    ) -> int:
        """Add items; how many are new. All or nothing: ids that occur twice, NaN and other widths are refused.

        What was added before as it is here (ids in their order, contents, embeddings) stays, and none is new: a script
        may be run again. ids: None for the ids in a parquet file, else 0, 1, 2, ...  embeddings: (n, d) numbers as an
        array, a memory map, chunks of rows, or the path of an .npy or .parquet file, whose rows are found by its column
        `id` or `ids`, else by their order; None for none, and then nothing is trained.  contents: what people see of
        each item, {"text": ...}, {"picture": a path below source} or {"row": {column: value}}; None for its id alone.
        source: where the items are from; of pictures, their folder, which may be given from the working directory.
        """
        self._desk.check_open()
        pool, pools = read_pool(ids, embeddings, contents, source), self._desk.state.pools
        if not pool.n or pool.is_there(self._store, pools):
            return 0
        pool.check_new(self._store, pools)
        first = self._store.count()
        entry = None if pool.features is None else self._array_files().put(f"features-{first}", pool.features)
        data = {"first": first, "count": pool.n, "source": pool.source, "features": entry}
        self._store.add_items(pool.items(first), New("pool_added", data))
        self._desk.look()
        self._start_training()
        return pool.n

    # --- asking and answering -------------------------------------------------------------------------

    def ask(self, n: int = 1, *, annotator: str = ME) -> Asks:
        """Up to n questions for somebody, "me" if not named, at once; where there are fewer, `reason` says why."""
        if self._train == "inline":
            self._trainer_here().step()
        return self._desk.ask(annotator, n, patient=True)

    def tell(
        self, item: Question, label: int | str, *, annotator: str | None = None, key: str | None = None
    ) -> Receipt:
        """An answer, on disk when this returns; any order, any time, twice is once, another corrects it.

        annotator: who says so; not given: of an `Ask` whoever was asked, of an item's index or id "me".
        """
        return self._desk.tell(item, label, annotator=_who(item, annotator), key=key)

    def passed(
        self, item: Question, why: str = "skip", *, annotator: str | None = None, key: str | None = None
    ) -> Receipt:
        """No answer: "skip", "unsure" or "broken"; the item waits until it is released."""
        return self._desk.passed(item, why, annotator=_who(item, annotator), key=key)

    def take_back(self, item: Question, *, annotator: str | None = None, key: str | None = None) -> Receipt:
        """Take an answer or a pass back."""
        return self._desk.take_back(item, annotator=_who(item, annotator), key=key)

    def add_class(self, name: str) -> None:
        """Add a class, the last."""
        self._desk.add_class(name)

    def import_labels(self, items: Iterable[int | str], labels: Iterable[int | str], source: str = "import") -> int:
        """Take in labels that exist already, all or none; how many."""
        return self._desk.import_labels(items, labels, source)

    # --- looking --------------------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        """The desk, for all that is not repeated here."""
        return self._desk

    @property
    def labels(self) -> dict[str, str]:
        """id -> class, of all items with an answer: the label for now where fewer people than wanted gave one."""
        with self._desk.locked:
            ballots, classes = self._desk.state.ballots, self._desk.state.made.classes
            found = {item: ballots.label(item) for item in (*ballots.votes, *ballots.decided)}
        items = self._store.items(list(found))
        return {item.id: classes[found[item.index]] for item in items if found[item.index] >= 0}

    def status(self) -> Status:
        """Where the campaign stands, in numbers."""
        self._desk.look()
        return self._desk.status()

    def export(self, path: str | Path, *, form: str | None = None, history: bool = False, force: bool = False) -> int:
        """Write labels or history to .csv, .jsonl, .parquet or .json (Label Studio), over an older export; how many."""
        from cutpoint.service.overview.export import Told, form_of, write

        chosen = form_of(Path(path)) if form is None else check_text(form, "form")
        return write(Told(self._store), Path(path), chosen, history, force)

    def close(self) -> None:
        """End the training, write down what was asked and let go of the store. May be called twice."""
        self._opened.close()

    def __enter__(self) -> Campaign:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # --- inside ---------------------------------------------------------------------------------------

    def _begin(self, name: str, classes: Sequence[str] | None, settings: Mapping[str, Any]) -> None:
        """Make the campaign where there is none; UsageError where there is another one."""
        if not self._store.last():
            if classes is None:
                raise UsageError("classes are missing; a new campaign needs their names: classes=['other', 'heron'].")
            made = Settings(**{"name": name, **settings, "classes": classes}).created()
            with suppress(Repeated):  # somebody was quicker
                self._store.append([New(made.kind, made.data, BEGUN)])
                return
        now = State(self._store.events()).made
        created = tuple(next(iter(self._store.events())).data["classes"])
        if classes is not None and classes not in (created, now.classes):
            has = ", ".join(now.classes)
            raise UsageError(f"classes are {', '.join(classes)}; this campaign has {has}: give these, or another file.")
        for key, value in settings.items():
            if getattr(now, key) != value:
                raise UsageError(
                    f"{key} is {value!r}; this campaign has {getattr(now, key)!r}: leave it out, or change it by "
                    "desk.change where that can be."
                )

    def _array_files(self) -> ArrayFiles:
        if self._files is None:
            raise UsageError("there is no folder for arrays; open the campaign with files=, or add no embeddings.")
        return self._files

    def _start_training(self) -> None:
        if self._train == "process" and self._url is not None and self._trainer is None and self._desk.state.count:
            process = TrainerProcess(trainer_command(self._folder), self._desk, url=self._url, limit=self._limit)
            process.start()
            self._opened.callback(process.stop)
            self._trainer = process

    def _trainer_here(self) -> Trainer:
        if not isinstance(self._trainer, Trainer):
            self._trainer = Trainer(self._store, self._array_files())
        return self._trainer


def _check_train(train: object, where: str | Path | Store, files: str | Path | None) -> None:
    """UsageError unless the campaign can be trained in this way."""
    if train not in ("process", "inline", "off"):
        raise UsageError(f"train is {train!r}; it must be 'process', 'inline' or 'off'.")
    if isinstance(where, str | Path):
        return
    if not hasattr(where, "add_items"):
        raise UsageError(f"where is {where!r}; it must be a name, a path, an address or a Store.")
    if train == "process":
        raise UsageError(
            "train is 'process', and another process cannot open a store that is handed over; give the campaign's path "
            "or address instead, or train='inline', or train='off'."
        )
    if train == "inline" and files is None:
        raise UsageError("train is 'inline', and there is no folder for the scores; give files=, or train='off'.")


def _check_new(meant: Settings, train: Train) -> None:
    check(meant.created())
    check_new_classes(meant.classes)
    check_limits(vars(meant))
    entry_of(meant.strategy)
    if train != "off":
        check_learner(meant)


def _name(where: str | Path | Store) -> str:
    """What a new campaign is called: after its file, its schema or its database."""
    return title(where) if isinstance(where, str | Path) else "campaign"


def _who(item: Question, annotator: str | None) -> str | None:
    """Whoever was asked, or who is named; in a script of one person, "me"."""
    return annotator if annotator is not None or isinstance(item, Ask) else ME
