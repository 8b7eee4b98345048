"""Reading and replacing an incident's mark."""

from itertools import pairwise
from typing import Final

import click
import pytest

from recommendation_cli.aws.connection import Target
from recommendation_cli.marks.store import MarkChangedError, MarkStore
from recommendation_shared.item.marks import Entry, ErasedRecord, State, mark_item, mark_key, moved, with_erased
from tests.support.fakes.conditional_table import ConditionalTable
from tests.support.fakes.recommendation_table import TABLE

INCIDENT: Final = "incident-7"
HELD: Final = Entry(State.HELD, "arn:aws:iam::123456789012:user/ann", "2026-02-01T00:00:00.000000Z", "lawsuit")
ERASING: Final = HELD._replace(action=State.ERASING)


@pytest.fixture
def table() -> ConditionalTable:
    """An empty table."""
    return ConditionalTable()


@pytest.fixture
def store(table: ConditionalTable) -> MarkStore:
    """The marks in it."""
    return MarkStore(table, Target(TABLE))


def test_mark_that_was_stored_is_read(store: MarkStore) -> None:
    """Without one, there is none."""
    assert store.read(INCIDENT) is None
    mark = moved(None, INCIDENT, HELD)
    store.replace(None, mark)
    assert store.read(INCIDENT) == mark


def test_only_the_mark_that_the_command_knows_is_replaced(store: MarkStore) -> None:
    """Whatever another command has changed: it created the mark, moved it, or counted what it deleted."""
    begun = moved(None, INCIDENT, ERASING)
    counted = with_erased(begun, {"reviews": 1}, ())
    listed = with_erased(begun, {"reviews": 1}, (ErasedRecord("00", "11"),))
    ended = moved(listed, INCIDENT, ERASING._replace(action=State.ERASED))
    known = [None, begun, counted, listed, ended]
    another = moved(None, INCIDENT, ERASING._replace(by="arn:aws:iam::123456789012:user/bob"))
    for stored, follower in pairwise(known):
        assert follower is not None
        store.replace(stored, follower)
        for other in (mark for mark in known if mark is not follower):
            with pytest.raises(MarkChangedError) as raised:
                store.replace(other, another)
            assert raised.value.exit_code == 4
        assert store.read(INCIDENT) == follower


def test_mark_whose_write_was_repeated_is_stored(store: MarkStore, table: ConditionalTable) -> None:
    """The first answer was lost; the condition of the second request fails on this very mark."""
    mark = moved(None, INCIDENT, HELD)
    table.put_item(Item=mark_item(mark))
    store.replace(None, mark)
    assert store.read(INCIDENT) == mark


def test_command_can_make_sure_that_its_mark_still_stands(store: MarkStore) -> None:
    """Another command may move it at any time."""
    mark = moved(None, INCIDENT, HELD)
    store.replace(None, mark)
    store.require(INCIDENT, mark)
    store.replace(mark, moved(mark, INCIDENT, HELD._replace(action=State.RELEASED)))
    with pytest.raises(MarkChangedError):
        store.require(INCIDENT, mark)


def test_malformed_mark_is_refused(store: MarkStore, table: ConditionalTable) -> None:
    """Nobody knows whether the incident is held."""
    item = mark_item(moved(None, INCIDENT, HELD))
    table.put_item(Item={**item, "history": {"L": []}})
    with pytest.raises(click.UsageError, match=f"Nothing was changed.*{mark_key(INCIDENT)}"):
        store.read(INCIDENT)
