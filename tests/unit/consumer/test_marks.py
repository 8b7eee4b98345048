"""The consumer's knowledge of held and erased incidents, and when it is read again."""

from collections.abc import Mapping
from typing import Any

import pytest

from recommendation_consumer.batch_result import BatchResult
from recommendation_consumer.marks import MarksUnreadableError, known_standings
from recommendation_shared.item.marks import MARKS_MAX_AGE, Mark, mark_item
from tests.support.fakes.aws import Clock, FakeTable, client_error, dependencies
from tests.support.marks import held


def _table(*marks: Mark) -> FakeTable:
    table = FakeTable()
    table.items |= {mark.key: mark_item(mark) for mark in marks}
    return table


async def test_marks_are_read_page_by_page() -> None:
    """One page holds one item here, and 1 MB on AWS."""
    table, clock = _table(held("incident-1"), held("incident-2")), Clock()
    standings = await known_standings(clock.now + 20, dependencies(table, clock), BatchResult())
    assert standings.hold("incident-1") is not None
    assert standings.hold("incident-2") is not None
    assert standings.hold("incident-3") is None


async def test_marks_are_read_again_only_when_they_are_old() -> None:
    """A batch in between costs no request."""
    table, clock = _table(), Clock()
    fakes = dependencies(table, clock)
    await known_standings(clock.now + 20, fakes, BatchResult())
    clock.now += MARKS_MAX_AGE - 1
    await known_standings(clock.now + 20, fakes, BatchResult())
    assert table.marks_read == 1
    clock.now += 1
    await known_standings(clock.now + 20, fakes, BatchResult())
    assert table.marks_read == 2


@pytest.mark.parametrize("jump", [3_600.0, -3_600.0])
async def test_either_clock_makes_marks_old(jump: float) -> None:
    """In a frozen sandbox the monotonic clock may stand still, and anyone may set the other one back."""
    table, clock = _table(), Clock()
    wall = clock.wall()
    fakes = dependencies(table, clock, wall=lambda: wall)
    await known_standings(clock.now + 20, fakes, BatchResult())
    wall += jump
    await known_standings(clock.now + 20, fakes, BatchResult())
    assert table.marks_read == 2


async def test_throttled_read_is_retried_and_counted() -> None:
    """As writing is. Another error is retried too, but says nothing about throttling."""
    table, clock = _table(held("incident-1")), Clock()
    errors = [client_error("ThrottlingException"), client_error("InternalServerError", 500)]

    async def query(body: bytes) -> Mapping[str, Any]:
        if errors:
            raise errors.pop()
        return await table.query(body)

    result = BatchResult()
    standings = await known_standings(clock.now + 20, dependencies(table, clock, query=query), result)
    assert standings.hold("incident-1") is not None
    assert clock.slept == [1.0, 1.0]
    assert result.throttled == 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (client_error("AccessDeniedException"), "AccessDeniedException"),
        (client_error("ThrottlingException"), "Throttled"),
        ({}, "NotConfirmed"),
    ],
)
async def test_marks_that_cannot_be_read_raise_with_the_cause(answer: Any, cause: str) -> None:
    """After a third of the time to write at the latest, so that an outage is not billed for long."""
    clock = Clock()

    async def query(_body: bytes) -> Mapping[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]  # any answer

    with pytest.raises(MarksUnreadableError, match=cause):
        await known_standings(clock.now + 30, dependencies(clock=clock, query=query), BatchResult())
    assert clock.now <= 1_010


async def test_old_marks_are_not_used_when_new_ones_cannot_be_read() -> None:
    """An incident may have been held in the meantime."""
    table, clock = _table(), Clock()
    fakes = dependencies(table, clock)
    await known_standings(clock.now + 20, fakes, BatchResult())
    clock.now += MARKS_MAX_AGE

    async def refuse(_body: bytes) -> Mapping[str, Any]:
        raise client_error("AccessDeniedException")

    object.__setattr__(fakes, "query", refuse)
    with pytest.raises(MarksUnreadableError):
        await known_standings(clock.now + 20, fakes, BatchResult())
