"""Which requests are retried, for how long, and which items are given up as unwritten."""

import asyncio
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from tests.support.fakes.aws import Clock, FakeTable, client_error
from tests.support.lambdas.invoke import encoded, ids, write

URL = "http://table"


async def test_only_unprocessed_items_are_sent_again() -> None:
    """The rest of the chunk is stored already."""
    table, items, clock = FakeTable(2), encoded(5), Clock()
    result = await write(table, items, clock=clock)
    assert table.requests == [ids(items), ids(items)[3:]]
    assert set(result.stored) == set(ids(items))
    assert result.throttled == 2
    assert clock.slept == [1.0]


async def test_item_is_stored_at_the_time_of_its_own_response() -> None:
    """A retried item was stored later than its chunk."""
    items, clock = encoded(2), Clock()
    started = clock.wall()
    result = await write(FakeTable(1), items, clock=clock)
    assert [result.stored[key] - started for key in ids(items)] == [0.0, 1.0]


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
async def test_throttled_request_is_sent_again(code: str) -> None:
    """The whole request, after a delay."""
    table, items = FakeTable(client_error(code), client_error(code)), encoded(3)
    result = await write(table, items)
    assert table.requests == [ids(items)] * 3
    assert set(result.stored) == set(ids(items))
    assert result.throttled == 6


async def test_items_throttled_until_the_deadline_are_unwritten() -> None:
    """The writer stops before the deadline, not after it."""
    table, items, clock = FakeTable(last=client_error("ThrottlingException")), encoded(3), Clock()
    started = clock.monotonic()
    result = await write(table, items, clock=clock, seconds=20.0)
    assert result.unwritten == dict.fromkeys(ids(items), "Throttled")
    assert clock.monotonic() < started + 20.0
    assert len(table.requests) == 20


async def test_items_unprocessed_until_the_deadline_are_unwritten_and_the_others_are_stored() -> None:
    """Each item is in exactly one of the two."""
    table, items = FakeTable(2, last=2), encoded(5)
    result = await write(table, items)
    assert set(result.stored) == set(ids(items)[:3])
    assert result.unwritten == dict.fromkeys(ids(items)[3:], "Throttled")


@pytest.mark.parametrize(
    "error",
    [
        client_error("InternalServerError", 500),
        client_error("ServiceUnavailable", 503),
        ConnectionClosedError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
    ],
)
async def test_transient_error_is_retried(error: Exception) -> None:
    """Such as a pooled connection that died while the sandbox was frozen."""
    table, items = FakeTable(error, error), encoded(3)
    assert set((await write(table, items)).stored) == set(ids(items))


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (client_error("InternalServerError", 500), "InternalServerError"),
        (ConnectionClosedError(endpoint_url=URL), "Unreachable"),
    ],
)
async def test_outage_is_given_up_after_three_attempts(error: Exception, error_type: str) -> None:
    """Messages are better kept in the queue than in a waiting function."""
    table, items = FakeTable(last=error), encoded(3)
    result = await write(table, items)
    assert result.unwritten == dict.fromkeys(ids(items), error_type)
    assert len(table.requests) == 3


async def test_throttling_does_not_use_up_the_attempts_of_an_outage() -> None:
    """The two are counted separately."""
    throttled, outage = client_error("ThrottlingException"), client_error("InternalServerError", 500)
    table, items = FakeTable(throttled, throttled, throttled, outage, outage), encoded(1)
    assert set((await write(table, items)).stored) == set(ids(items))


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (client_error("AccessDeniedException"), "AccessDeniedException"),
        (client_error("ResourceNotFoundException"), "ResourceNotFoundException"),
        (client_error("ExpiredTokenException"), "ExpiredTokenException"),
        (client_error(""), "ClientError"),
        (NoCredentialsError(), "NoCredentialsError"),
    ],
)
async def test_systemic_error_is_not_retried(error: Exception, error_type: str) -> None:
    """Permissions, credentials, a missing table."""
    table, items = FakeTable(last=error), encoded(3)
    result = await write(table, items)
    assert result.unwritten == dict.fromkeys(ids(items), error_type)
    assert len(table.requests) == 1


async def test_failed_chunk_does_not_affect_the_others() -> None:
    """Each chunk is retried, and given up, on its own."""
    table, items = FakeTable(client_error("AccessDeniedException")), encoded(30)
    result = await write(table, items)
    assert set(result.unwritten) == set(ids(items)[:25])
    assert set(result.stored) == set(ids(items)[25:])


async def test_hanging_table_is_abandoned_at_the_deadline() -> None:
    """In real time."""
    items, loop = encoded(30), asyncio.get_running_loop()
    started = loop.time()
    result = await write(FakeTable(last="hang"), items, seconds=0.05)
    assert loop.time() - started < 1
    assert result.unwritten == dict.fromkeys(ids(items), "DeadlineExceeded")


async def test_hanging_chunk_does_not_keep_the_others_from_being_stored() -> None:
    """Only its own items are unwritten."""
    items = encoded(30)
    result = await write(FakeTable("hang"), items, seconds=0.05)
    assert set(result.unwritten) == set(ids(items)[:25])
    assert set(result.stored) == set(ids(items)[25:])


async def test_nothing_is_sent_after_the_deadline() -> None:
    """An invocation may start too late."""
    table, items = FakeTable(), encoded(3)
    result = await write(table, items, seconds=0.0)
    assert table.requests == []
    assert result.unwritten == dict.fromkeys(ids(items), "DeadlineExceeded")


async def test_response_without_unprocessed_items_confirms_nothing() -> None:
    """DynamoDB always returns the map, even if empty, whereas a proxy's page parses as an empty response."""
    items, requests = encoded(2), []

    async def respond(body: bytes) -> dict[str, Any]:
        requests.append(body)
        return {}

    result = await write(FakeTable(), items, batch_write=respond)
    assert result.unwritten == dict.fromkeys(ids(items), "NotConfirmed")
    assert not result.stored
    assert len(requests) == 3
