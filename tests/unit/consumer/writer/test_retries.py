"""Which requests are retried, for how long, and which items are given up as unwritten."""

import asyncio
import json
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from tests.support.fakes.aws import TABLE, Clock, FakeTable, client_error
from tests.support.lambdas.invoke import encoded, ids, write

URL = "http://table"
OUTAGE = client_error("InternalServerError", 500)


async def test_only_unprocessed_items_are_sent_again() -> None:
    """The rest of the chunk is stored already."""
    table, items, clock = FakeTable(2), encoded(5), Clock()
    result = await write(table, items, clock=clock)
    assert table.requests == [ids(items), ids(items)[3:]]
    assert set(result.stored) == set(ids(items))
    assert result.throttled == 1
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
    assert result.throttled == 2


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
async def test_outage_is_retried_for_a_third_of_the_time(error: Exception, error_type: str) -> None:
    """In a longer one, messages are better kept in the queue than in a waiting function."""
    table, items, clock = FakeTable(last=error), encoded(3), Clock()
    result = await write(table, items, clock=clock, seconds=30.0)
    assert result.unwritten == dict.fromkeys(ids(items), error_type)
    assert len(table.requests) == 10
    assert sum(clock.slept) == 9.0


async def test_outage_of_a_third_of_the_time_is_survived() -> None:
    """Its end comes in time for the last attempt."""
    table, items = FakeTable(*[OUTAGE] * 9), encoded(3)
    assert set((await write(table, items, seconds=30.0)).stored) == set(ids(items))


async def test_any_other_response_ends_an_outage() -> None:
    """Its time starts again, because the table can be reached."""
    throttled = client_error("ThrottlingException")
    table, items = FakeTable(*[OUTAGE] * 8, throttled, *[OUTAGE] * 8), encoded(1)
    assert set((await write(table, items, seconds=30.0)).stored) == set(ids(items))


async def test_each_chunk_has_one_attempt_in_a_lasting_outage() -> None:
    """Those that follow do not wait for as long as the first ones."""
    table, items, clock = FakeTable(last=OUTAGE), encoded(25 * 9), Clock()
    result = await write(table, items, clock=clock, seconds=30.0)
    assert len(result.unwritten) == 25 * 9
    assert table.requests.count(ids(items)[200:]) == 1


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


@pytest.mark.parametrize(
    "response",
    [
        pytest.param({}, id="a page that parses as empty"),
        pytest.param({"UnprocessedItems": None}, id="null"),
        pytest.param({"UnprocessedItems": []}, id="a list"),
        pytest.param({"UnprocessedItems": "none"}, id="a text"),
        pytest.param({"UnprocessedItems": {TABLE: None}}, id="null for the table"),
        pytest.param({"UnprocessedItems": {TABLE: [None]}}, id="a null request"),
        pytest.param({"UnprocessedItems": {TABLE: [{"PutRequest": {"Item": {}}}]}}, id="a put without a key"),
        pytest.param(
            {"UnprocessedItems": {TABLE: [{"DeleteRequest": {"Key": {"recommendationId": {"S": "rec-1"}}}}]}},
            id="a delete",
        ),
        pytest.param(
            {"UnprocessedItems": {TABLE: [{"PutRequest": {"Item": {"recommendationId": {"S": "rec-1"}}}}]}},
            id="a put that was not sent",
        ),
    ],
)
async def test_response_that_is_not_dynamodbs_confirms_nothing(response: dict[str, Any]) -> None:
    """DynamoDB always returns a map of puts that were sent; the other chunks are stored and counted."""
    table, items = FakeTable(), encoded(30)

    async def respond(body: bytes) -> Any:
        return response if b'"agent-0"' in body else await table.batch_write(body)

    result = await write(table, items, batch_write=respond)
    assert result.unwritten == dict.fromkeys(ids(items)[:25], "NotConfirmed")
    assert set(result.stored) == set(ids(items)[25:])


async def test_unexpected_error_leaves_its_chunk_to_sqs_and_stores_the_others() -> None:
    """A bug of ours must not hide what the other chunks have stored; its log line has no message, only frames."""
    table, items, log = FakeTable(ZeroDivisionError("a-secret-value")), encoded(30), StringIO()
    result = await write(table, items, logger=Logger(service="unexpected", stream=log))
    assert result.unwritten == dict.fromkeys(ids(items)[:25], "ZeroDivisionError")
    assert set(result.stored) == set(ids(items)[25:])
    line = json.loads(log.getvalue())
    assert (line["level"], line["errorType"]) == ("ERROR", "ZeroDivisionError")
    assert any("batch_write" in frame for frame in line["stack"])
    assert "a-secret-value" not in log.getvalue()


@pytest.mark.parametrize("guard", [False, True], ids=["first delivery", "redelivery"])
async def test_cancelled_request_leaves_its_chunk_to_sqs(guard: bool) -> None:
    """A task group ignores a cancelled task: its messages would otherwise be acknowledged unwritten."""
    table, (first, *others) = FakeTable(asyncio.CancelledError()), encoded(2)
    batch: dict[str, Any] = {"guarded": [first], "items": others} if guard else {"items": [first]}
    result = await write(table, **batch)
    assert result.unwritten == {first.recommendation_id: "CancelledError"}
    assert set(result.stored) == set(ids(batch["items"])) - result.unwritten.keys()
