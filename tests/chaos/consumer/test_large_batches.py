"""The largest event that Lambda can deliver: 10,000 messages, all of which have come back."""

import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from recommendation_consumer.handler import handler
from recommendation_consumer.invocation import NothingStoredError
from tests.support.fakes.aws import FakeTable
from tests.support.lambdas.event import Context, again, body, record, redelivered
from tests.support.lambdas.invoke import invoke
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import AwsServer, aws_server

COUNT: Final = 10_000  # the largest batch of an SQS mapping
SECONDS: Final = 6
FUNCTION_TIMEOUT: Final = 30  # seconds


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """A server, and a sandbox that uses it."""
    with aws_server() as running, lambda_sandbox(running.url, running.dlq_url):
        yield running


@pytest.fixture(scope="module")
def messages() -> Any:
    """As many redelivered messages as fit into one event; each is written by a request of its own."""
    template = body(incident_id="incident-number-0000", retention=None)
    texts = (template.replace("number-0000", f"number-{number:04}") for number in range(COUNT))
    return {"Records": [again(record(f"m{number}", text)) for number, text in enumerate(texts)]}


def test_ten_thousand_redelivered_messages_end_within_the_deadline(server: AwsServer, messages: Any) -> None:
    """Whatever was not written by then is named, and everything else is in the table."""
    started = time.monotonic()
    try:
        response = handler(messages, Context(SECONDS * 1_000))
        left = redelivered(response, messages)
    except NothingStoredError:  # on a machine that is too busy to store even one
        left = {delivered["messageId"] for delivered in messages["Records"]}
    assert time.monotonic() - started < SECONDS
    assert len(server.items) >= COUNT - len(left)
    assert not server.dead_letters


async def test_ten_thousand_redelivered_messages_are_stored_by_one_invocation(messages: Any) -> None:
    """With a table that responds at once: what the consumer itself needs for each request leaves most of the time."""
    table, started = FakeTable(), time.monotonic()
    assert await invoke(messages, table) == {"batchItemFailures": []}
    assert len(table.guarded) == len(table.items) == COUNT
    assert time.monotonic() - started < FUNCTION_TIMEOUT
