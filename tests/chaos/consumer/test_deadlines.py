"""The real handler against servers that do not answer, in real time."""

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
from tests.support.servers.aws_server import CRAWL, HANG, AwsServer, aws_server

MESSAGES = event(*bodies(30, retention=None), "poison")


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """Start a server, and a sandbox that is warm."""
    with aws_server() as running, lambda_sandbox(running.url, running.dlq_url):
        assert named(handler(MESSAGES, Context())) == []
        running.reset()
        yield running


def _timed(seconds: int) -> tuple[Any, float]:
    """Invoke the handler with this time left; return its answer, or what it raised, and how long it took."""
    began = time.monotonic()
    try:
        answer: Any = handler(MESSAGES, Context(seconds * 1000))
    except NothingStoredError as error:
        answer = error
    return answer, time.monotonic() - began


@pytest.mark.parametrize(("seconds", "fault"), [(1, HANG), (2, CRAWL), (3, HANG)])
def test_dead_table_raises_before_the_timeout(server: AwsServer, seconds: int, fault: str) -> None:
    """All messages come back; the poison among them has not been dead-lettered."""
    server.table.last = server.queue.last = fault
    answer, took = _timed(seconds)
    assert isinstance(answer, NothingStoredError)
    assert took < seconds
    assert not server.dead_letters
    server.reset()
    assert named(handler(MESSAGES, Context())) == []
    assert len(server.items) == 30


@pytest.mark.parametrize(("seconds", "fault"), [(1, HANG), (2, CRAWL)])
def test_dead_queue_is_answered_for_before_the_timeout(server: AwsServer, seconds: int, fault: str) -> None:
    """With the poison's ID and no other."""
    server.queue.last = fault
    answer, took = _timed(seconds)
    assert named(answer) == ["m30"]
    assert took < seconds


def test_table_that_hangs_for_a_chunk_is_answered_for_by_name(server: AwsServer) -> None:
    """With the messages of that chunk; it might still be written, and is then written again."""
    server.table.faults.extend([HANG])
    answer, took = _timed(2)
    assert took < 2
    hung = {
        put["PutRequest"]["Item"]["agentType"]["S"]
        for put in server.table.requests[0]["RequestItems"]["recommendations"]
    }
    assert set(named(answer)) == {f"m{agent.removeprefix('agent-')}" for agent in hung}


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Listen, and let no connection be made: the queue of those that wait to be accepted is full."""
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
    """Nothing answers, not even the kernel: connecting is given up after a second, three times."""
    with lambda_sandbox(black_hole, f"{black_hole}/123456789012/dead-letters"):
        answer, took = _timed(3)
    assert isinstance(answer, NothingStoredError)
    assert took < 3
