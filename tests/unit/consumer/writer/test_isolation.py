"""A rejected chunk is split until its offenders are alone, in few requests; everything else is stored."""

import asyncio
import math
from collections.abc import Collection, Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_shared import limits
from tests.support.fakes.aws import FakeTable, client_error
from tests.support.lambdas.invoke import encoded, ids, write

ITEMS: Final = encoded(limits.BATCH_WRITE_KEYS)


@pytest.mark.parametrize("code", ["ValidationException", "SerializationException"])
async def test_lone_invalid_item_is_rejected_at_once(code: str) -> None:
    """A single item cannot be split."""
    table = FakeTable(client_error(code))
    assert (await write(table, ITEMS[:1])).rejected == ids(ITEMS[:1])
    assert len(table.requests) == 1


async def test_throttling_during_isolation_rejects_no_item() -> None:
    """The right half is known to be invalid only if the left half was stored."""
    items = ITEMS[:2]
    invalid, throttled = client_error("ValidationException"), client_error("ThrottlingException")
    result = await write(FakeTable(invalid, *[throttled] * 30, last=0), items)
    assert result.rejected == []
    assert set(result.unwritten) == set(ids(items))


@pytest.mark.parametrize("size", range(1, limits.BATCH_WRITE_KEYS + 1))
def test_isolating_one_offender_takes_at_most_2_log2_n_plus_1_requests(size: int) -> None:
    """At each position in a chunk of n items; everything else is stored."""
    for position in range(size):
        items = ITEMS[:size]
        offender = items[position].recommendation_id
        table = FakeTable(invalid={offender})
        result = asyncio.run(write(table, items))
        assert result.rejected == [offender]
        assert set(result.stored) == set(table.items) == set(ids(items)) - {offender}
        assert not result.unwritten
        assert len(table.requests) <= 2 * math.log2(size) + 1


@given(st.integers(1, limits.BATCH_WRITE_KEYS), st.sets(st.integers(0, limits.BATCH_WRITE_KEYS - 1)))
def test_several_offenders_are_rejected_and_the_rest_is_stored(size: int, positions: Collection[int]) -> None:
    """Wherever they are, each takes at most as many requests as a single offender."""
    items = ITEMS[:size]
    offenders = {items[position].recommendation_id for position in positions if position < size}
    table = FakeTable(invalid=offenders)
    result = asyncio.run(write(table, items))
    assert set(result.rejected) == offenders
    assert len(result.rejected) == len(offenders)
    assert set(result.stored) == set(table.items) == set(ids(items)) - offenders
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
def test_valid_item_is_never_rejected_while_the_table_fails_in_other_ways(
    positions: Collection[int], answers: Sequence[object]
) -> None:
    """With throttling, outages and unprocessed items in between, each item is stored, rejected or unwritten."""
    offenders = {ITEMS[position].recommendation_id for position in positions}
    result = asyncio.run(write(FakeTable(*answers, invalid=offenders), ITEMS, seconds=60.0))
    assert set(result.rejected) <= offenders
    assert not offenders & result.stored.keys()
    assert sorted([*result.stored, *result.rejected, *result.unwritten]) == sorted(ids(ITEMS))


@pytest.mark.parametrize("most_items", range(1, limits.BATCH_WRITE_KEYS))
def test_chunk_that_is_too_large_is_split_until_it_is_stored(most_items: int) -> None:
    """On HTTP 413, whatever the limit and whoever imposes it; no item is rejected."""

    class Gateway(FakeTable):
        async def batch_write(self, ready: bytes) -> object:  # type: ignore[override] # it only rejects more
            if ready.count(b'{"PutRequest"') > most_items:
                self.requests.append([])
                raise client_error("413", 413)
            return await super().batch_write(ready)

    table = Gateway()
    result = asyncio.run(write(table, ITEMS))
    assert set(result.stored) == set(ids(ITEMS))
    assert not result.rejected
    assert not result.unwritten
    assert len(table.requests) < 2 * len(ITEMS)
