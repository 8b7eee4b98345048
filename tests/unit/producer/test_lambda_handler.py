"""The decorator for a Lambda handler drains in time and changes nothing else."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from recommendation_producer._draining.handler import budget, drained
from tests.support.fakes.queue import BlackHole, FakeQueue, recommendation, running_producer


class Context:
    """A Lambda context with this many milliseconds left."""

    def __init__(self, remaining_ms: float) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> float:
        """Return the remaining time as the runtime does."""
        return self._remaining_ms


class Recording:
    """Records the timeouts of its drains; may raise an error in each."""

    def __init__(self, error: Exception | None = None) -> None:
        self.timeouts: list[float] = []
        self._error = error

    def flush(self, timeout: float = 2.0, /) -> None:
        """Record a drain."""
        self.timeouts.append(timeout)
        if self._error is not None:
            raise self._error

    async def aflush(self, timeout: float = 2.0, /) -> None:  # noqa: ASYNC109 - the producer's own signature
        """Record a drain."""
        self.flush(timeout)


@pytest.mark.parametrize(
    ("context", "seconds"),
    [
        (Context(60_000), 2.0),
        (Context(1_500), 1.0),
        (Context(400), 0.0),
        (None, 2.0),
        (object(), 2.0),
        (Context("soon"), 2.0),  # type: ignore[arg-type]  # a stand-in for Lambda's context in the host's tests
        (SimpleNamespace(get_remaining_time_in_millis=lambda: 1 / 0), 2.0),
    ],
)
def test_budget_is_the_cap_or_what_the_invocation_has_left(context: object, seconds: float) -> None:
    """A margin is left for the runtime to respond; without a context the cap applies."""
    assert budget(context) == seconds


def test_sync_handler_keeps_its_result_name_and_arguments() -> None:
    """Its envelopes are on the queue when it returns."""
    queue = FakeQueue()
    with running_producer(queue, max_age=600.0) as producer:

        @producer.lambda_handler
        def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
            assert isinstance(context, Context)
            producer.enqueue(**recommendation(event["number"]))
            return {"status": "done"}

        assert handler({"number": 1}, Context(60_000)) == {"status": "done"}
        assert handler.__name__ == "handler"
        assert producer.balance.sent == 1


def test_async_handler_keeps_its_result_over_several_event_loops() -> None:
    """Some runtimes call `asyncio.run` for each invocation."""
    queue = FakeQueue()
    with running_producer(queue, max_age=600.0) as producer:

        @producer.lambda_handler
        async def handler(event: dict[str, Any], context: object) -> str:  # noqa: ARG001 - the signature that Lambda calls
            producer.enqueue(**recommendation(event["number"]))
            return "done"

        for number in range(2):
            assert asyncio.run(handler({"number": number}, context=Context(60_000))) == "done"
            assert producer.balance.sent == number + 1


def test_exception_of_the_handler_is_raised_after_the_drain() -> None:
    """An audit needs the envelopes enqueued before a crash most of all."""
    queue = FakeQueue()
    with running_producer(queue, max_age=600.0) as producer:

        @producer.lambda_handler
        def handler(_event: object, _context: object) -> None:
            producer.enqueue(**recommendation())
            raise KeyError("consensus")

        with pytest.raises(KeyError, match="consensus"):
            handler({}, Context(60_000))
        assert producer.balance.sent == 1


def test_exception_of_an_async_handler_is_raised_after_the_drain() -> None:
    """A coroutine function behaves like a sync handler."""
    recording = Recording()

    async def handler(_event: object, _context: object) -> None:
        raise KeyError("consensus")

    with pytest.raises(KeyError, match="consensus"):
        asyncio.run(drained(handler, recording)({}, Context(1_500)))
    assert recording.timeouts == [1.0]


def test_invocation_without_time_left_is_not_delayed() -> None:
    """Unsent envelopes stay for the next invocation."""
    with running_producer(BlackHole()) as producer:

        @producer.lambda_handler
        def handler(_event: object, _context: object) -> str:
            producer.enqueue(**recommendation())
            return "done"

        assert handler({}, Context(100)) == "done"
        assert producer.balance.pending == 1


def test_drain_that_fails_changes_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The handler's result stands, whatever happens during the drain."""
    caplog.set_level(logging.WARNING, "recommendation_producer")
    handler = drained(lambda _event, _context: "done", Recording(ZeroDivisionError()))
    assert handler({}, Context(60_000)) == "done"
    assert caplog.messages == ["draining failed: ZeroDivisionError"]
