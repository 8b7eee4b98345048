"""What came back is written one by one, and replaces nothing but itself."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from recommendation_consumer.request import Put
from recommendation_consumer.writer import WriteResult, write_items
from recommendation_shared.item.encoding import EncodedItem, encode_item
from tests.support.fakes.aws import Clock, FakeTable, client_error, dependencies
from tests.support.lambdas.event import envelope

ITEMS = [encode_item(envelope(f"agent-{number}").to_fields()) for number in range(30)]
ITEM, OTHER = (encode_item(envelope(reasoning=text).to_fields()) for text in ("one", "another"))


async def _write(
    table: FakeTable, guarded: Sequence[EncodedItem], items: Sequence[EncodedItem] = (), seconds: float = 20.0
) -> WriteResult:
    clock = Clock()
    puts = [*(Put(item, guarded=True) for item in guarded), *map(Put, items)]
    return await write_items(puts, clock.monotonic() + seconds, dependencies(table, clock))


async def test_what_is_not_there_and_what_is_there_alike_are_stored() -> None:
    """The second changes nothing."""
    table = FakeTable()
    assert set((await _write(table, [ITEM])).stored) == {ITEM.recommendation_id}
    before = dict(table.items)
    assert set((await _write(table, [ITEM])).stored) == {ITEM.recommendation_id}
    assert table.items == before
    assert table.requests == []


async def test_other_content_is_a_conflict_and_is_left() -> None:
    """Neither stored nor to be retried."""
    table = FakeTable()
    await _write(table, [], [ITEM])
    result = await _write(table, [OTHER])
    assert result == WriteResult(conflicts=[ITEM.recommendation_id])
    assert table.items[ITEM.recommendation_id]["contentDigest"] == {"S": ITEM.digest}


async def test_guarded_and_other_items_are_written_side_by_side() -> None:
    """The one kind in requests of 25, the other one by one."""
    table = FakeTable()
    result = await _write(table, ITEMS[:3], ITEMS[3:])
    assert len(result.stored) == 30
    assert [len(request) for request in table.requests] == [25, 2]
    assert sorted(table.guarded) == sorted(item.recommendation_id for item in ITEMS[:3])


@pytest.mark.parametrize(
    "fault",
    [
        client_error("ThrottlingException"),
        client_error("InternalServerError", 500),
        client_error("TransactionConflictException"),
        EndpointConnectionError(endpoint_url="http://table"),
    ],
)
async def test_what_passes_is_retried(fault: Exception) -> None:
    """As for a batch."""
    assert len((await _write(FakeTable(fault, fault), [ITEM])).stored) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (client_error("ThrottlingException"), "Throttled"),
        (client_error("AccessDeniedException"), "AccessDeniedException"),
        (EndpointConnectionError(endpoint_url="http://table"), "Unreachable"),
    ],
)
async def test_what_does_not_pass_is_handed_back(answer: Exception, why: str) -> None:
    """By name."""
    assert (await _write(FakeTable(last=answer), [ITEM])).unwritten == {ITEM.recommendation_id: why}


async def test_a_hanging_put_is_left_at_the_deadline() -> None:
    """In real time."""
    result = await _write(FakeTable(last="hang"), ITEMS[:9], seconds=0.05)
    assert set(result.unwritten.values()) == {"DeadlineExceeded"}
    assert len(result.unwritten) == 9


async def test_an_item_that_dynamodb_refuses_is_rejected() -> None:
    """There is nothing to divide."""
    assert (await _write(FakeTable(invalid={ITEM.recommendation_id}), [ITEM])).rejected == [ITEM.recommendation_id]


async def test_an_answer_without_consumed_capacity_confirms_nothing() -> None:
    """It was asked for, so an answer without it is not DynamoDB's."""
    clock = Clock()

    async def answer(_: bytes) -> dict[str, Any]:
        return {}

    around = dependencies(clock=clock, put_item=answer)
    result = await write_items([Put(ITEM, guarded=True)], clock.monotonic() + 20, around)
    assert result.unwritten == {ITEM.recommendation_id: "NotConfirmed"}


async def test_eight_requests_are_in_flight_at_most() -> None:
    """Of both kinds together: a batch neither waits for itself nor storms the table. No item is made ahead of them."""
    in_flight = taken = 0
    seen: list[tuple[int, int]] = []
    full = asyncio.Event()

    async def answer(_: bytes) -> dict[str, Any]:
        nonlocal in_flight
        in_flight += 1
        seen.append((in_flight, taken))
        if in_flight == 8:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        in_flight -= 1
        return {"ConsumedCapacity": {}, "UnprocessedItems": {}}

    def make() -> Iterator[Put]:
        nonlocal taken
        for taken, item in enumerate(items, 1):
            yield Put(item, guarded=taken <= 6)

    clock = Clock()
    items = [encode_item(envelope(f"agent-{number}").to_fields()) for number in range(6 + 25 * 20)]
    around = dependencies(clock=clock, put_item=answer, batch_write=answer)
    result = await write_items(make(), clock.monotonic() + 20, around)
    assert len(result.stored) == 506
    assert max(seen)[0] == 8
    # Six put one by one, two chunks, a third one that waits for its place, and the item that shows it to be full.
    assert next(made for count, made in seen if count == 8) <= 6 + 3 * 25 + 1
