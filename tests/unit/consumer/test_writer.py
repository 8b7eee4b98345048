"""The bulk write: what is sent, what is retried, and what is handed back."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from recommendation_consumer.request import Put
from recommendation_consumer.writer import WriteResult, chunks, write_items
from recommendation_shared import limits
from recommendation_shared.item.encoding import EncodedItem, encode_item
from tests.support.fakes.aws import Clock, FakeTable, client_error, dependencies
from tests.support.lambdas.event import envelope

BUDGET = 20.0  # seconds


def _items(count: int) -> list[EncodedItem]:
    return [encode_item(envelope(f"agent-{number}").to_fields()) for number in range(count)]


def _ids(items: Sequence[EncodedItem]) -> list[str]:
    return [item.recommendation_id for item in items]


async def _write(table: FakeTable, items: Sequence[EncodedItem], clock: Clock | None = None) -> WriteResult:
    clock = clock or Clock()
    return await write_items(map(Put, items), clock.monotonic() + BUDGET, dependencies(table, clock))


async def test_items_are_written_in_chunks_of_25() -> None:
    """BatchWriteItem takes no more."""
    table, items = FakeTable(), _items(60)
    result = await _write(table, items)
    assert [len(request) for request in table.requests] == [25, 25, 10]
    assert set(result.stored) == set(table.items) == set(_ids(items))
    assert not result.unwritten
    assert result.throttled == 0


async def test_what_is_stored_is_the_encoded_item() -> None:
    """Byte for byte as DynamoDB JSON."""
    table, (item,) = FakeTable(), _items(1)
    await _write(table, [item])
    assert table.items[item.recommendation_id]["contentDigest"] == {"S": item.digest}


async def test_nothing_to_write_makes_no_request() -> None:
    """A batch of poison only."""
    table = FakeTable()
    assert await _write(table, []) == WriteResult()
    assert table.requests == []


def test_a_chunk_closes_before_16_mb() -> None:
    """The JSON of an item is larger than the item: 400 KB may weigh more than 2 MB on the wire."""
    item = EncodedItem("rec", b" " * 5_000_000, "", None)
    assert [len(chunk) for chunk, _ in chunks([Put(item)] * 7)] == [3, 3, 1]


def test_an_item_as_large_as_a_request_stands_alone() -> None:
    """No chunk is empty."""
    item = EncodedItem("rec", b" " * limits.BATCH_WRITE_BYTES, "", None)
    assert [len(chunk) for chunk, _ in chunks([Put(item)] * 2)] == [1, 1]


async def test_only_unprocessed_items_are_sent_again() -> None:
    """Not the whole chunk."""
    table, items, clock = FakeTable(2), _items(5), Clock()
    result = await _write(table, items, clock)
    assert table.requests == [_ids(items), _ids(items)[3:]]
    assert set(result.stored) == set(_ids(items))
    assert result.throttled == 2
    assert clock.slept == [1.0]


async def test_the_time_of_storing_is_that_of_the_response_that_stored() -> None:
    """Retried items were stored later."""
    items, clock = _items(2), Clock()
    began = clock.wall()
    result = await _write(FakeTable(1), items, clock)
    assert [result.stored[key] - began for key in _ids(items)] == [0.0, 1.0]


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
async def test_a_throttled_request_is_sent_again(code: str) -> None:
    """All of it, after a delay."""
    table, items = FakeTable(client_error(code), client_error(code)), _items(3)
    result = await _write(table, items)
    assert table.requests == [_ids(items)] * 3
    assert set(result.stored) == set(_ids(items))
    assert result.throttled == 6


async def test_throttling_past_the_deadline_hands_the_items_back() -> None:
    """Before the deadline, not after it."""
    table, items, clock = FakeTable(last=client_error("ThrottlingException")), _items(3), Clock()
    result = await _write(table, items, clock)
    assert result.unwritten == dict.fromkeys(_ids(items), "Throttled")
    assert clock.now < 1_000.0 + BUDGET
    assert len(table.requests) == BUDGET


async def test_items_unprocessed_to_the_end_are_handed_back_and_the_others_are_stored() -> None:
    """By name."""
    table, items = FakeTable(2, last=2), _items(5)
    result = await _write(table, items)
    assert set(result.stored) == set(_ids(items)[:3])
    assert result.unwritten == dict.fromkeys(_ids(items)[3:], "Throttled")


@pytest.mark.parametrize(
    "error",
    [
        client_error("InternalServerError", 500),
        client_error("ServiceUnavailable", 503),
        ConnectionClosedError(endpoint_url="http://table"),
        ReadTimeoutError(endpoint_url="http://table"),
        ConnectTimeoutError(endpoint_url="http://table"),
        EndpointConnectionError(endpoint_url="http://table"),
    ],
)
async def test_a_passing_fault_is_retried(error: Exception) -> None:
    """Such as a pooled connection that died while the sandbox was frozen."""
    table, items = FakeTable(error, error), _items(3)
    assert set((await _write(table, items)).stored) == set(_ids(items))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (client_error("InternalServerError", 500), "InternalServerError"),
        (ConnectionClosedError(endpoint_url="http://table"), "Unreachable"),
    ],
)
async def test_an_outage_is_given_up_after_three_attempts(error: Exception, why: str) -> None:
    """The queue keeps the messages better than a function that waits."""
    table, items = FakeTable(last=error), _items(3)
    result = await _write(table, items)
    assert result.unwritten == dict.fromkeys(_ids(items), why)
    assert len(table.requests) == 3


async def test_throttling_does_not_use_up_the_attempts_of_an_outage() -> None:
    """They are counted apart."""
    throttled, fault = client_error("ThrottlingException"), client_error("InternalServerError", 500)
    table, items = FakeTable(throttled, throttled, throttled, fault, fault), _items(1)
    assert set((await _write(table, items)).stored) == set(_ids(items))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (client_error("AccessDeniedException"), "AccessDeniedException"),
        (client_error("ResourceNotFoundException"), "ResourceNotFoundException"),
        (client_error("ExpiredTokenException"), "ExpiredTokenException"),
        (client_error(""), "ClientError"),
        (NoCredentialsError(), "NoCredentialsError"),
    ],
)
async def test_what_no_retry_can_cure_is_not_retried(error: Exception, why: str) -> None:
    """Permissions, credentials, a missing table."""
    table, items = FakeTable(last=error), _items(3)
    result = await _write(table, items)
    assert result.unwritten == dict.fromkeys(_ids(items), why)
    assert len(table.requests) == 1


async def test_a_failed_chunk_does_not_touch_the_others() -> None:
    """Each is retried, and handed back, by itself."""
    table, items = FakeTable(client_error("AccessDeniedException")), _items(30)
    result = await _write(table, items)
    assert set(result.unwritten) == set(_ids(items)[:25])
    assert set(result.stored) == set(_ids(items)[25:])


@pytest.mark.parametrize("code", ["ValidationException", "SerializationException"])
async def test_a_lone_invalid_item_is_rejected_at_once(code: str) -> None:
    """There is nothing to divide."""
    items = _items(1)
    table = FakeTable(client_error(code))
    assert (await _write(table, items)).rejected == _ids(items)
    assert len(table.requests) == 1


async def test_throttling_while_isolating_condemns_nobody() -> None:
    """The right half is invalid for certain only when the left one was found valid."""
    items = _items(2)
    refused, throttled = client_error("ValidationException"), client_error("ThrottlingException")
    table = FakeTable(refused, *[throttled] * 30, last=0)
    clock = Clock()
    result = await _write(table, items, clock)
    assert result.rejected == []
    assert set(result.unwritten) == set(_ids(items))


async def test_a_hanging_table_is_left_at_the_deadline() -> None:
    """In real time."""
    table, items = FakeTable(last="hang"), _items(30)
    loop = asyncio.get_running_loop()
    began = loop.time()
    clock = Clock()
    result = await write_items(map(Put, items), clock.monotonic() + 0.05, dependencies(table, clock))
    assert loop.time() - began < 1
    assert result.unwritten == dict.fromkeys(_ids(items), "DeadlineExceeded")


async def test_a_chunk_that_hangs_leaves_the_others_stored() -> None:
    """And named by nobody."""
    table, items, clock = FakeTable("hang"), _items(30), Clock()
    result = await write_items(map(Put, items), clock.monotonic() + 0.05, dependencies(table, clock))
    assert set(result.unwritten) == set(_ids(items)[:25])
    assert set(result.stored) == set(_ids(items)[25:])


async def test_past_the_deadline_nothing_is_sent() -> None:
    """An invocation that began too late."""
    table, items, clock = FakeTable(), _items(3), Clock()
    result = await write_items(map(Put, items), clock.monotonic(), dependencies(table, clock))
    assert table.requests == []
    assert result.unwritten == dict.fromkeys(_ids(items), "DeadlineExceeded")


async def test_an_answer_that_names_no_unprocessed_items_confirms_nothing() -> None:
    """DynamoDB always names them, if only as an empty map; a proxy's page is read as an empty answer."""
    items, clock, sent = _items(2), Clock(), []

    async def answer(body: bytes) -> dict[str, Any]:
        sent.append(body)
        return {}

    around = dependencies(clock=clock, batch_write=answer)
    result = await write_items(map(Put, items), clock.monotonic() + BUDGET, around)
    assert result.unwritten == dict.fromkeys(_ids(items), "NotConfirmed")
    assert not result.stored
    assert len(sent) == 3
