"""A refused chunk gives up its offenders and nothing else, in few requests."""

import asyncio
import math
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_consumer.request import Put
from recommendation_consumer.writer import WriteResult, write_items
from recommendation_shared import limits
from recommendation_shared.item.encoding import EncodedItem, encode_item
from tests.support.fakes.aws import Clock, FakeTable, client_error, dependencies
from tests.support.lambdas.event import envelope

ITEMS = [encode_item(envelope(f"agent-{number}").to_fields()) for number in range(limits.BATCH_WRITE_KEYS)]


def _ids(items: Sequence[EncodedItem]) -> list[str]:
    return [item.recommendation_id for item in items]


def _write(table: FakeTable, items: Sequence[EncodedItem]) -> WriteResult:
    clock = Clock()
    return asyncio.run(write_items(map(Put, items), clock.monotonic() + 60, dependencies(table, clock)))


@pytest.mark.parametrize("size", range(1, limits.BATCH_WRITE_KEYS + 1))
def test_one_offender_costs_at_most_twice_log2_and_one_requests(size: int) -> None:
    """At each position of a chunk of each size; everything else is stored."""
    for position in range(size):
        items = ITEMS[:size]
        offender = items[position].recommendation_id
        table = FakeTable(invalid={offender})
        result = _write(table, items)
        assert result.rejected == [offender]
        assert set(result.stored) == set(table.items) == set(_ids(items)) - {offender}
        assert not result.unwritten
        assert len(table.requests) <= 2 * math.log2(size) + 1


@given(st.integers(1, limits.BATCH_WRITE_KEYS), st.sets(st.integers(0, limits.BATCH_WRITE_KEYS - 1)))
@settings(deadline=None)
def test_several_offenders_are_given_up_and_the_rest_is_stored(size: int, positions: Collection[int]) -> None:
    """Whatever their number and places, each in at most as many requests as one alone."""
    items = ITEMS[:size]
    offenders = {items[position].recommendation_id for position in positions if position < size}
    table = FakeTable(invalid=offenders)
    result = _write(table, items)
    assert set(result.rejected) == offenders
    assert len(result.rejected) == len(offenders)
    assert set(result.stored) == set(table.items) == set(_ids(items)) - offenders
    assert not result.unwritten
    assert len(table.requests) <= max(1, len(offenders)) * (2 * math.log2(size) + 1)


@given(
    st.sets(st.integers(0, limits.BATCH_WRITE_KEYS - 1), max_size=3),
    st.lists(
        st.one_of(
            st.integers(0, limits.BATCH_WRITE_KEYS),
            st.sampled_from([client_error("ThrottlingException"), client_error("InternalServerError", 500)]),
        ),
        max_size=20,
    ),
)
@settings(deadline=None)
def test_no_valid_item_is_given_up_while_the_table_fails_in_other_ways(
    positions: Collection[int], answers: Sequence[object]
) -> None:
    """Throttling, outages and unprocessed items in between: each item is stored, refused or handed back, once."""
    offenders = {ITEMS[position].recommendation_id for position in positions}
    result = _write(FakeTable(*answers, invalid=offenders), ITEMS)
    assert set(result.rejected) <= offenders
    assert not offenders & result.stored.keys()
    assert sorted([*result.stored, *result.rejected, *result.unwritten]) == sorted(_ids(ITEMS))


@pytest.mark.parametrize("most", range(1, limits.BATCH_WRITE_KEYS))
def test_a_chunk_that_is_too_large_is_divided_until_it_is_stored(most: int) -> None:
    """HTTP 413, whatever the limit of whoever says so; nothing is given up."""

    class Gateway(FakeTable):
        async def batch_write(self, ready: bytes) -> object:  # type: ignore[override] # it only refuses more
            if ready.count(b'{"PutRequest"') > most:
                self.requests.append([])
                raise client_error("413", 413)
            return await super().batch_write(ready)

    table = Gateway()
    result = _write(table, ITEMS)
    assert set(result.stored) == set(_ids(ITEMS))
    assert not result.rejected
    assert not result.unwritten
    assert len(table.requests) < 2 * len(ITEMS)
