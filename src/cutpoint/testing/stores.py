"""The laws of a store: what everyone who reads or writes the log of a campaign may take for granted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cutpoint.errors import DataError, UsageError
from cutpoint.store.base import Item, Repeated, Store
from cutpoint.store.events import Event, New

Opened = Callable[[], Store]
"""Opens one campaign, anew with every call."""

TEXTS = (
    "",
    "\0",
    "a\0b",
    "\\x00 \\u0000",
    "שלום \u202eabc",
    "🦩",
    "\udc80",
    "=cmd()",
    "x\r\n\t\u2028",
    "'\";--",
    "字" * 350_000,
)


def check_store(start: Callable[[], Opened], *, processes: bool = True) -> None:
    """Raise AssertionError at the first law that a store breaks.

    start:     makes an empty campaign and returns a function that opens it, again and again.
    processes: whether it can be opened by several processes, whose laws are then checked, too; the function that
               opens it is pickled for them.
    """
    from cutpoint.testing.store_processes import PROCESS_LAWS

    for law in (*STORE_LAWS, *(PROCESS_LAWS if processes else ())):
        law(start())


def numbers_go_up_by_one(opened: Opened) -> None:
    """Events are numbered from 1, returned as they are read, and read in order from any place."""
    store = opened()
    _is(store.last(), 0, "an empty log has the last number")
    _is(list(store.events()), [], "an empty log holds")
    _is(store.append([]), [], "no events were stored as")
    before = time.time()
    stored = [event for size in (1, 3, 1500) for event in store.append([_resized(i) for i in range(size)])]
    _is([event.number for event in stored], list(range(1, 1505)), "the numbers are")
    _is(list(store.events()), stored, "what is read")
    _is(list(store.events(1502)), stored[1502:], "what is read from 1502 on")
    _is(list(store.events(5000)), [], "what is read after the end")
    _is(store.last(), 1504, "the last number")
    _is(all(before - 1 <= event.at <= time.time() + 1 for event in stored), True, "all were written now")
    store.close()


def events_are_stored_all_or_none(opened: Opened) -> None:
    """One event that cannot be stored keeps those beside it out."""
    store = opened()
    (there,) = store.append([New("resized", {"round": 1, "in_flight": 1}, key="there")])
    good = _resized(2)
    for bad in (
        New("resised", {}),
        New("resized", {"round": 1}),
        New("resized", {"round": 1, "in_flight": 1, "colour": 2}),
        New("resized", {"round": 1, "in_flight": float("nan")}),
        New("resized", {"round": 1, "in_flight": object()}),
        New("resized", {"round": 1, "in_flight": 1}, key=""),
    ):
        refusal(UsageError, f"storing {bad}", store.append, [good, bad, good])
    refusal(Repeated, "a key", store.append, [good, New("resized", {"round": 2, "in_flight": 1}, "there")])
    twice = New("resized", {"round": 1, "in_flight": 1}, key="twice")
    refusal(UsageError, "a key twice among the new", store.append, [twice, twice])
    _is(list(store.events()), [there], "after all refusals the log")
    _is([event.number for event in store.append([good, twice])], [2, 3], "numbers after a refusal")
    store.close()


def a_key_is_stored_once(opened: Opened) -> None:
    """A key that is there is refused with its event, whatever comes with it, also when many threads send it."""
    store = opened()
    for place, key in enumerate(text for text in TEXTS if 0 < len(text) < 1000):
        news = [New("resized", {"round": place, "in_flight": 0}), New("resized", {"round": place, "in_flight": 1}, key)]
        stored = store.append(news)
        error = refusal(Repeated, "a key", store.append, [New("class_added", {"name": "new"}, key)])
        _is(error.event, stored[1], "the event of a repeated key")
    last, gate = store.last(), threading.Barrier(8)

    def send(writer: int) -> Event | Repeated:
        gate.wait()
        try:
            return store.append([New("resized", {"round": writer, "in_flight": 8}, key="all")])[0]
        except Repeated as repeated:
            return repeated

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(8)))
    first = [outcome for outcome in outcomes if isinstance(outcome, Event)]
    _is([event.number for event in first], [last + 1], "those whose key was the first")
    told = [outcome.event for outcome in outcomes if isinstance(outcome, Repeated)]
    _is(told, first * 7, "what all others are told of")
    store.close()


def threads_write_side_by_side(opened: Opened) -> None:
    """Batches of several threads stay whole and in their order, and whoever reads meanwhile sees no gap."""
    store, done = opened(), threading.Event()

    def write(writer: int) -> list[list[Event]]:
        return [store.append([_resized(writer) for _ in range(1 + (writer + i) % 4)]) for i in range(25)]

    def read() -> None:
        seen = 0
        while not done.is_set():
            numbers = [event.number for event in store.events(seen)]
            _is(numbers, list(range(seen + 1, seen + 1 + len(numbers))), "numbers read while others write")
            seen += len(numbers)

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(read)
        try:
            batches = [batch for written in pool.map(write, range(8)) for batch in written]
        finally:
            done.set()
        reading.result()
    for batch in batches:
        _is([event.number - batch[0].number for event in batch], list(range(len(batch))), "a batch of a thread")
    stored = sorted((event for batch in batches for event in batch), key=lambda event: event.number)
    _is(list(store.events()), stored, "what eight threads were told that is stored")
    _is([event.number for event in stored], list(range(1, len(stored) + 1)), "the numbers over all threads")
    store.close()


def all_is_there_when_it_is_opened_again(opened: Opened) -> None:
    """Any text and number comes back as it was, in events, contents, ids and keys; also from a second opening."""
    store = opened()
    values: list[Any] = [*TEXTS, None, True, 0, -(2**70), 0.1, 1e308, -0.0, [], {}, [1, [2.0, {"": []}]]]
    stored = store.append([New("settings_changed", {"budget": value}) for value in values])
    _is([repr(event.data["budget"]) for event in stored], [repr(value) for value in values], "values in events")
    ids = [text for text in TEXTS if 0 < len(text) < 1000]
    items = [Item(place, name, {"row": {name: values}}) for place, name in enumerate(ids)]
    stored += store.add_items(items, pool_of(items))
    other = opened()
    _is(list(other.events()), stored, "what a second opening reads")
    store.close()
    again = opened()
    _is(list(again.events()), stored, "what is read when it was closed")
    _is(repr(again.items(range(len(ids)))), repr(items), "items when it was closed")
    _is(again.indices(ids), list(range(len(ids))), "indices of ids when it was closed")
    other.close()
    again.close()


def items_are_found_by_index_and_by_id(opened: Opened) -> None:
    """The pool grows at its end; items come in the order in which they are asked for."""
    store = opened()
    _is((store.count(), store.ids(0, 5), store.indices(["a"])), (0, [], [None]), "an empty pool")
    refusal(UsageError, "an item of an empty pool", store.item, 0)
    store.add_items([], New("pool_added", {"first": 0, "count": 0, "source": "nowhere", "features": None}))
    items = [Item(i, f"id {i}", {"text": str(i)}) for i in range(2500)]
    for first, last in ((0, 2100), (2100, 2101), (2101, 2500)):
        (event,) = store.add_items(iter(items[first:last]), pool_of(items[first:last]))
        _is((event.kind, event.number, store.count()), ("pool_added", store.last(), last), "an addition")
    _is(store.item(2100), items[2100], "an item")
    mixed = [*range(2499, -1, -1), 7, 7]
    _is(store.items(mixed), [items[i] for i in mixed], "items in any order")
    _is(store.indices(["id 7", "id", "id 2499", "id 7"]), [7, None, 2499, 7], "indices of ids")
    _is(store.ids(2498, 5), ["id 2498", "id 2499"], "the last ids")
    for index in (-1, 2500, 2**40):
        refusal(UsageError, f"item {index} of 2500", store.item, index)
    refusal(UsageError, "a missing item beside another", store.items, [3, 2500])
    store.close()


def items_are_added_all_or_none(opened: Opened) -> None:
    """The first id that occurs twice is named, and no item is added; no event is, either."""
    store = opened()
    store.add_items(old := [Item(i, f"old {i}", {"text": "old"}) for i in range(3)], pool_of(old, key="pool"))
    good = [Item(i, f"new {i}", {"text": "new"}) for i in range(3, 12_003)]
    there = f"'old 1' of item {len(good) + 2}"
    for what, said, items, pool in (
        ("an id twice", "'new 5' of item 7", [*good[:4], Item(7, "new 5", {}), *good[5:]], pool_of(good)),
        ("an id that is there", there, [*good[:-1], Item(len(good) + 2, "old 1", {})], pool_of(good)),
        ("an index left out", "item 'new 5' has index 5", [*good[:1], *good[2:]], pool_of(good)),
        ("more than the event says", "count", good, pool_of(good[:-1])),
        ("another place", "first", good[1:], pool_of(good[1:])),
        ("no id", "0 bytes", [Item(3, "", {})], pool_of(good[:1])),
        ("a content that is no JSON", "'x' cannot be", [Item(3, "x", {"text": float("inf")})], pool_of(good[:1])),
        ("another event", "pool_added", good, _resized(3)),
    ):
        error = refusal(UsageError, what, store.add_items, items, pool)
        _is(said in str(error), True, f"the error for {what} says {said}: {error}")
    refusal(OSError, "a source that fails", store.add_items, _broken(good[:100]), pool_of(good))
    refusal(Repeated, "a pool sent again", store.add_items, old, pool_of(old, key="pool"))
    _is((store.count(), store.last()), (3, 1), "items and events after all refusals")
    store.add_items(good, pool_of(good))
    _is((store.count(), store.last()), (len(good) + 3, 2), "items and events after the good ones")
    store.close()


def a_copy_is_what_it_was_and_goes_on(opened: Opened) -> None:
    """An empty store takes in another's log and items as they are: numbers, times, keys; then it goes on by itself."""
    store, items = opened(), [Item(i, f"id {i}", {"text": TEXTS[i % 4]}) for i in range(2500)]
    pools = [Event(2 + n, 0.5, "pool_added", pool_of(lot).data, None) for n, lot in enumerate((items[:7], items[7:]))]
    events = [Event(1, 0.25, "guideline_set", {"text": TEXTS[1]}, "\0 key"), *pools]
    events += [Event(number, 1e9, "resized", {"round": 1, "in_flight": 1}, f"k {number}") for number in range(4, 2600)]
    for what, kind, log, pool in (
        ("a log with a gap", DataError, [*events[:9], *events[10:]], items),
        ("too few items", UsageError, events, items[:-1]),
        ("an id twice", UsageError, events, [*items[:-1], Item(2499, "id 7", {})]),
        ("a source that fails", OSError, events, _broken(items[:2000])),
    ):
        refusal(kind, what, store.restore, log, pool)
        _is((store.last(), store.count()), (0, 0), f"events and items after {what}")
    store.restore(iter(events), iter(items))
    _is(list(store.events()), events, "the log of a copy")
    _is(store.items(range(2500)), items, "the items of a copy")
    error = refusal(Repeated, "a key of the copied log", store.append, [New("class_added", {"name": "x"}, "\0 key")])
    (event,) = store.append([_resized(1)])
    _is((error.event, event.number), (events[0], 2600), "the event of a copied key, and the next number")
    refusal(UsageError, "a copy into a store that holds something", store.restore, events, items)
    _is(store.last(), 2600, "the events after that")
    store.close()


def a_role_has_one_holder(opened: Opened) -> None:
    """Whoever comes second is told who has the role, whether by the same opening or by another."""
    store, other = opened(), opened()
    with store.own("desk"), store.own("trainer"):
        for second in (store, other):
            error = refusal(UsageError, "a role that is held", second.own("desk").__enter__)
            _is("has a desk already: process" in str(error), True, f"the error says who: {error}")
    with other.own("desk"):
        refusal(UsageError, "a role that is held again", store.own("desk").__enter__)
    store.close()
    other.close()


def who_looks_takes_no_role(opened: Opened) -> None:
    """Whoever asks who has a role is told, and changes nothing."""
    store, other = opened(), opened()
    _is((store.holder("desk"), other.holder("desk")), (None, None), "the holders of a role that nobody had")
    with store.own("desk"):
        for looking in (store, other):
            _is(str(looking.holder("desk")).startswith("process "), True, "whoever looks is told of a process")
            _is(looking.holder("trainer"), None, "the holder of another role")
    _is((store.holder("desk"), other.holder("desk")), (None, None), "the holders of a role that was given back")
    store.close()
    other.close()


def pool_of(items: list[Item], key: str | None = None) -> New:
    """The `pool_added` of these items."""
    return New("pool_added", {"first": items[0].index, "count": len(items), "source": "x", "features": None}, key)


def _broken(items: list[Item]) -> Iterator[Item]:
    yield from items
    raise OSError("the file ended")


def _resized(number: int) -> New:
    return New("resized", {"round": 1, "in_flight": number})


def _is(found: Any, due: Any, what: str) -> None:
    assert found == due, f"{what}: {found!r:.300}, and must be {due!r:.300}."


def refusal(kind: type[Any], what: str, call: Callable[..., object], *arguments: object) -> Any:
    """The error of a kind that `what`, a call, raises; AssertionError if it raises none."""
    try:
        result = call(*arguments)
    except kind as error:
        return error
    raise AssertionError(f"{what} must be {kind.__name__}, and gave {result!r:.300}.")


STORE_LAWS: tuple[Callable[[Opened], None], ...] = (
    numbers_go_up_by_one,
    events_are_stored_all_or_none,
    a_key_is_stored_once,
    threads_write_side_by_side,
    all_is_there_when_it_is_opened_again,
    items_are_found_by_index_and_by_id,
    items_are_added_all_or_none,
    a_copy_is_what_it_was_and_goes_on,
    a_role_has_one_holder,
    who_looks_takes_no_role,
)
"""The laws of every store, each to be given an empty campaign of its own."""
