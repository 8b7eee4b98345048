"""The mark of an incident that is held or was erased."""

import json
from itertools import pairwise
from typing import Any

import pytest

from recommendation_shared import limits
from recommendation_shared.item.holds import Hold
from recommendation_shared.item.marks import (
    ERASED_RECORDS,
    HELD_ENTRIES,
    HISTORY_ENTRIES,
    Entry,
    ErasedRecord,
    Mark,
    MarkError,
    State,
    hashed,
    is_mark,
    mark_item,
    mark_key,
    may_replace,
    moved,
    read_mark,
    with_erased,
)
from recommendation_shared.item.size import item_size
from recommendation_shared.item.standings import Standings

INCIDENT = "incident-123"
ANN = "arn:aws:iam::123456789012:user/ann"
LEGAL_ORDERS = {State.HELD: {State.RELEASED}, State.RELEASED: {State.HELD, State.ERASING}}
LEGAL_ORDERS |= {State.ERASING: {State.ERASING, State.ERASED}, State.ERASED: {State.ERASING}}


def _entry(action: State, number: int = 0) -> Entry:
    return Entry(action, ANN, f"2026-02-01T09:{number:02}:00.000000Z", "Legal hold 42")


def _mark(*actions: State) -> Mark:
    mark: Mark | None = None
    for number, action in enumerate(actions):
        mark = moved(mark, INCIDENT, _entry(action, number))
    assert mark is not None
    return mark


HELD, ERASING = _mark(State.HELD), _mark(State.ERASING)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_a_mark_moves_only_as_its_state_allows(before: State, after: State) -> None:
    """Above all, a held incident cannot be erased, and an erased one cannot be held."""
    paths = {State.RELEASED: (State.HELD, State.RELEASED), State.ERASED: (State.ERASING, State.ERASED)}
    mark = _mark(*paths.get(before, (before,)))
    if after in LEGAL_ORDERS[before]:
        assert moved(mark, INCIDENT, _entry(after, 9)).state is after
    else:
        with pytest.raises(MarkError, match=f"{before} cannot become {after}"):
            moved(mark, INCIDENT, _entry(after, 9))


@pytest.mark.parametrize("action", [State.RELEASED, State.ERASED])
def test_an_incident_without_a_mark_is_not_released_or_erased(action: State) -> None:
    """There is nothing to release."""
    with pytest.raises(MarkError, match="not marked"):
        moved(None, INCIDENT, _entry(action))


@pytest.mark.parametrize(
    "mark",
    [
        HELD,
        _mark(State.HELD, State.RELEASED),
        _mark(State.HELD, State.RELEASED, State.ERASING),
        with_erased(ERASING, {"items": 1}, (ErasedRecord(hashed("rec-1"), "d" * 64),)),
    ],
)
def test_a_mark_is_read_back_as_it_was_written(mark: Mark) -> None:
    """Through JSON, as the stream and the table return it."""
    assert read_mark(json.loads(json.dumps(mark_item(mark)))) == mark
    assert is_mark(mark_item(mark))


def test_a_mark_is_in_the_index_by_agent_type_alone() -> None:
    """A list of the incident's recommendations must not contain it."""
    item = mark_item(HELD)
    assert item["agentType"] == {"S": "_incident-marks"}
    assert item["timestamp"] == {"S": "2026-02-01T09:00:00.000000Z"}
    assert item.keys() & {"incidentId", "executionId", "ttl"} == set()


def test_an_erasure_names_the_incident_nowhere_in_clear() -> None:
    """Whoever asked to be forgotten must not be found in the tombstone."""
    mark = moved(_mark(State.HELD, State.RELEASED), INCIDENT, _entry(State.ERASING, 2))
    assert INCIDENT not in json.dumps(mark_item(mark))
    assert mark.key == mark_key(INCIDENT)


def test_the_largest_mark_fits_in_an_item() -> None:
    """A mark that could not be written would leave an incident neither held nor erased."""
    entry = Entry(State.ERASING, "a" * 2048, HELD.history[0].at, "r" * 1000)
    mark = ERASING._replace(history=(entry,) * HISTORY_ENTRIES)
    records = tuple(ErasedRecord(hashed(str(number)), "d" * 64) for number in range(2 * ERASED_RECORDS))
    mark = with_erased(mark, {"items": len(records)}, records)
    assert len(mark.erased) == ERASED_RECORDS
    assert item_size(mark_item(mark)) < limits.ITEM_BYTES * 0.7
    with pytest.raises(MarkError, match=str(HISTORY_ENTRIES)):
        moved(mark, INCIDENT, entry)


def test_incident_that_was_held_as_often_as_possible_can_still_be_released_and_erased() -> None:
    """A privacy request must not fail because the mark has no room for it."""
    entry = HELD.history[0]
    for entries in (HELD_ENTRIES - 1, HELD_ENTRIES):
        mark = HELD._replace(history=(entry,) * entries)
        for action in (State.RELEASED, State.ERASING, State.ERASED, State.ERASING, State.ERASED):
            mark = moved(mark, INCIDENT, _entry(action))
    full = _mark(State.HELD, State.RELEASED)._replace(history=(_entry(State.RELEASED),) * HELD_ENTRIES)
    with pytest.raises(MarkError, match=f"{HELD_ENTRIES} is the limit"):
        moved(full, INCIDENT, _entry(State.HELD))


@pytest.mark.parametrize(
    "change",
    [
        {"incidentId": {"S": INCIDENT}},
        {"ttl": {"N": "1"}},
        {"history": {"L": []}},
        {"history": {"S": "none"}},
        {"timestamp": {"S": "2026-01-01T00:00:00.000000Z"}},
        {"metadata": {"M": {"state": {"S": "held"}}}},
        {"metadata": {"M": {**mark_item(HELD)["metadata"]["M"], "incidentId": {"S": "incident-124"}}}},
        {"metadata": {"M": {**mark_item(HELD)["metadata"]["M"], "incidentId": {"N": "1"}}}},
    ],
)
def test_a_malformed_mark_is_refused(change: dict[str, Any]) -> None:
    """Whatever was done to it by hand."""
    with pytest.raises(MarkError, match="malformed"):
        read_mark({**mark_item(HELD), **change})


def test_a_mark_may_be_replaced_by_each_legal_successor() -> None:
    """The keeper lets the commands' own writes pass."""
    history = (State.HELD, State.RELEASED, State.HELD, State.RELEASED, State.ERASING, State.ERASED)
    marks = [mark_item(_mark(*history[: length + 1])) for length in range(len(history))]
    assert all(may_replace(old, new) for old, new in pairwise(marks))
    assert not any(may_replace(new, old) for old, new in pairwise(marks))


def test_an_erasure_under_way_may_only_count_more() -> None:
    """What it has deleted is evidence."""
    one = with_erased(ERASING, {"items": 1}, (ErasedRecord(hashed("rec-1"), "d" * 64),))
    two = with_erased(ERASING, {"items": 2, "reviews": 1}, (*one.erased, ErasedRecord(hashed("rec-2"), "e" * 64)))
    assert may_replace(mark_item(one), mark_item(two))
    assert not may_replace(mark_item(two), mark_item(one))
    done = moved(one, INCIDENT, _entry(State.ERASED, 1))
    assert may_replace(mark_item(one), mark_item(done))
    assert not may_replace(mark_item(done), mark_item(done._replace(counts={"items": 7})))


@pytest.mark.parametrize(
    "new",
    [
        None,
        {**mark_item(HELD), "note": {"S": "x"}},
        mark_item(HELD._replace(hold=None)),
        mark_item(HELD._replace(history=(HELD.history[0]._replace(reason="Another"),))),
        mark_item(_mark(State.HELD, State.RELEASED)._replace(history=(_entry(State.RELEASED, 1),))),
        mark_item(HELD._replace(counts={"items": 1})),
    ],
)
def test_any_other_change_of_a_mark_is_not_expected(new: dict[str, Any] | None) -> None:
    """Deletion included: it would end a hold without a trace."""
    assert not may_replace(mark_item(HELD), new)


def test_standings_know_who_is_held_and_who_is_erased() -> None:
    """From what the index returns: the key and `metadata`."""
    other = moved(None, "incident-9", _entry(State.HELD))
    marks = [_mark(State.ERASING), other, moved(None, "incident-8", _entry(State.HELD))]
    marks[2] = moved(marks[2], "incident-8", _entry(State.RELEASED, 1))
    standings = Standings([_projected(mark) for mark in marks])
    assert standings.hold("incident-9") == other.hold
    assert standings.hold("incident-8") is None
    assert [standings.is_erased(incident) for incident in (INCIDENT, "incident-8", "incident-9")] == [
        True,
        False,
        False,
    ]


def _projected(mark: Mark) -> dict[str, Any]:
    item = mark_item(mark)
    return {name: item[name] for name in ("recommendationId", "metadata")}


def test_what_is_not_a_mark_is_counted_and_holds_nothing() -> None:
    """One broken mark must not stop the storing of everything else."""
    values: list[Any] = [{"S": "x"}, {"M": {}}, {"M": {"state": {"S": "?"}}}]
    broken = [{**_projected(HELD), "metadata": value} for value in values]
    standings = Standings([*broken, _projected(HELD)])
    assert standings.unreadable == len(broken)
    assert standings.hold(INCIDENT) == HELD.hold


@pytest.mark.parametrize("hold", [None, {"S": "mine"}, {"M": {"reason": {"S": "Legal hold 42"}}}])
def test_incident_is_held_even_if_its_hold_was_broken_by_hand(hold: Any) -> None:
    """Its records must stay, whoever may have wanted that; recs doctor and the log name the mark."""
    metadata: dict[str, Any] = {**mark_item(HELD)["metadata"]["M"], "hold": hold}
    if hold is None:
        del metadata["hold"]
    standings = Standings([{**_projected(HELD), "metadata": {"M": metadata}}])
    assert standings.hold(INCIDENT) == Hold("", "", "")
    assert standings.unreadable == 1
