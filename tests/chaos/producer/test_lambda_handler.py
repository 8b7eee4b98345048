"""A decorated Lambda handler ends in time although the queue does not respond."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

import pytest

from recommendation_producer import Balance
from tests.chaos.producer.budget import COUNT, LATE, producer_with
from tests.support.fakes.queue import NOTHING_HANGS
from tests.support.servers.sqs_server import HANG, SqsServer, sqs_server


@pytest.fixture
def server() -> Iterator[SqsServer]:
    """A server that fails on demand."""
    with sqs_server() as running:
        yield running


class Context:
    """Lambda's context object, with a remaining time that runs down."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class HandlerError(Exception):
    """An error of the host's own handler."""


@pytest.mark.parametrize("remaining", [0.3, 1.0])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("raises", [False, True], ids=["returns", "raises"])
def test_handler_ends_before_its_margin_against_a_queue_that_hangs(
    raises: bool,
    kind: str,
    remaining: float,
    server: SqsServer,
) -> None:
    """It leaves half a second to the runtime, raises the handler's exception, and keeps the envelopes for later.

    With 0.3 s left there is no time to drain at all.
    """
    server.fault = HANG
    with producer_with(server.queue_url, server.url) as producer:

        def work(_event: object, _context: object) -> str:
            if raises:
                raise HandlerError
            return "done"

        async def async_work(event: object, context: object) -> str:
            return work(event, context)

        if kind == "sync":
            run = producer.lambda_handler(work)
        else:
            handler = producer.lambda_handler(async_work)
            run = lambda event, context: asyncio.run(handler(event, context))  # type: ignore[assignment]  # noqa: E731
        with pytest.raises(HandlerError) if raises else contextlib.nullcontext():
            started = time.monotonic()
            assert run({}, Context(remaining)) == "done"
        assert time.monotonic() - started < max(0.0, remaining - 0.5) + LATE
        assert producer.balance == Balance(COUNT, 0, {}, COUNT)
        server.heal()
        assert producer.flush(NOTHING_HANGS).sent == COUNT
