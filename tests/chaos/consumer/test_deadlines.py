"""The real handler, in real time, against servers that do not respond."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from recommendation_consumer.handler import handler
from recommendation_consumer.invocation import NothingStoredError
from tests.support.lambdas.event import Context, bodies, event, named
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import DRIP, HANG, AwsServer, aws_server

MESSAGES = event(*bodies(30, retention=None), "poison")


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """A server, and a warm sandbox that uses it."""
    with aws_server() as running, lambda_sandbox(running.url, running.dlq_url):
        assert named(handler(MESSAGES, Context())) == []
        running.reset()
        yield running


def _timed(seconds: int) -> tuple[Any, float]:
    """Invoke the handler with this much time left; return its response or its error, and the seconds it took."""
    started = time.monotonic()
    try:
        result: Any = handler(MESSAGES, Context(seconds * 1000))
    except NothingStoredError as error:
        result = error
    return result, time.monotonic() - started


@pytest.mark.parametrize(("seconds", "fault"), [(1, HANG), (2, DRIP), (3, HANG)])
def test_unresponsive_table_raises_before_the_timeout(server: AwsServer, seconds: int, fault: str) -> None:
    """All messages are redelivered, so the poison among them has not been dead-lettered."""
    server.table.last = server.queue.last = fault
    error, took = _timed(seconds)
    assert isinstance(error, NothingStoredError)
    assert took < seconds
    assert not server.dead_letters
    server.reset()
    assert named(handler(MESSAGES, Context())) == []
    assert len(server.items) == 30


@pytest.mark.parametrize(("seconds", "fault"), [(1, HANG), (2, DRIP)])
def test_unresponsive_dead_letter_queue_fails_only_the_poison_before_the_timeout(
    server: AwsServer, seconds: int, fault: str
) -> None:
    """The poison is the only batch item failure."""
    server.queue.last = fault
    response, took = _timed(seconds)
    assert named(response) == ["m30"]
    assert took < seconds


def test_table_that_hangs_on_one_chunk_fails_only_that_chunk(server: AwsServer) -> None:
    """Its messages are the batch item failures; if the chunk was written after all, it is written again."""
    server.table.faults.extend([HANG])
    response, took = _timed(2)
    assert took < 2
    hung = {
        put["PutRequest"]["Item"]["agentType"]["S"]
        for put in server.table.requests[0]["RequestItems"]["recommendations"]
    }
    assert set(named(response)) == {f"m{agent.removeprefix('agent-')}" for agent in hung}


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The URL of a port whose backlog is full, so that no connection can be established."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - its only parameter
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_black_hole_raises_before_the_timeout_of_a_cold_start(black_hole: str) -> None:
    """Connections are neither accepted nor refused; each of three attempts is abandoned after a second."""
    with lambda_sandbox(black_hole, f"{black_hole}/123456789012/dead-letters"):
        error, took = _timed(3)
    assert isinstance(error, NothingStoredError)
    assert took < 3
