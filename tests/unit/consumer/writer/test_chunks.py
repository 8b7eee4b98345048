"""The division of items into BatchWriteItem requests."""

import asyncio
from collections.abc import Iterator
from typing import Any

from recommendation_consumer.request import Put
from recommendation_consumer.writer import WriteResult, chunks, write_items
from recommendation_shared import limits
from recommendation_shared.item.encoding import EncodedItem
from tests.support.fakes.aws import Clock, FakeTable, dependencies
from tests.support.lambdas.invoke import encoded, ids, write


async def test_items_are_written_in_chunks_of_25() -> None:
    """BatchWriteItem accepts no more."""
    table, items = FakeTable(), encoded(60)
    result = await write(table, items)
    assert [len(request) for request in table.requests] == [25, 25, 10]
    assert set(result.stored) == set(table.items) == set(ids(items))
    assert not result.unwritten
    assert result.throttled == 0


async def test_item_is_stored_as_it_was_encoded() -> None:
    """Its digest shows that."""
    table, (item,) = FakeTable(), encoded(1)
    await write(table, [item])
    assert table.items[item.recommendation_id]["contentDigest"] == {"S": item.digest}


async def test_no_items_make_no_request() -> None:
    """A batch may hold nothing but poison."""
    table = FakeTable()
    assert await write(table) == WriteResult()
    assert table.requests == []


def test_chunk_closes_before_16_mb() -> None:
    """The JSON of an item is larger than the item: 400 KB may take more than 2 MB in a request."""
    item = EncodedItem("rec", b" " * 5_000_000, "", None)
    assert [len(chunk) for chunk, _ in chunks([Put(item)] * 7)] == [3, 3, 1]


def test_item_as_large_as_a_request_gets_a_chunk_to_itself() -> None:
    """No chunk is empty."""
    item = EncodedItem("rec", b" " * limits.BATCH_WRITE_BYTES, "", None)
    assert [len(chunk) for chunk, _ in chunks([Put(item)] * 2)] == [1, 1]


async def test_at_most_eight_requests_are_in_flight() -> None:
    """Both kinds count, so a batch neither waits for itself nor floods the table; and items are created on demand."""
    in_flight = drawn = 0
    seen: list[tuple[int, int]] = []
    full = asyncio.Event()

    async def respond(_: bytes) -> dict[str, Any]:
        nonlocal in_flight
        in_flight += 1
        seen.append((in_flight, drawn))
        if in_flight == 8:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        in_flight -= 1
        return {"ConsumedCapacity": {}, "UnprocessedItems": {}}

    def puts() -> Iterator[Put]:
        nonlocal drawn
        for drawn, item in enumerate(items, 1):
            yield Put(item, guarded=drawn <= 6)

    clock, items = Clock(), encoded(6 + 25 * 20)
    fakes = dependencies(clock=clock, put_item=respond, batch_write=respond)
    result = await write_items(puts(), clock.monotonic() + 20, fakes)
    assert len(result.stored) == 506
    assert max(seen)[0] == 8
    # Six guarded items, two chunks, a third chunk that waits for a slot, and the item that showed it to be full.
    assert next(count for flying, count in seen if flying == 8) <= 6 + 3 * 25 + 1
