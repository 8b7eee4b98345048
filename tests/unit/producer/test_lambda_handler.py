"""The decorator around a Lambda handler: it drains in time and changes nothing."""

import asyncio
import logging
from typing import Any

import pytest

from recommendation_producer._draining import budget, drained
from tests.support.fakes.queue import BlackHole, FakeQueue, recommendation, running_producer


class Context:
    """A Lambda context with so many milliseconds left."""

    def __init__(self, remaining_ms: float) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> float:
        """Answer as the runtime does."""
        return self._remaining_ms


class Recording:
    """Remembers what it was asked to drain within."""

    def __init__(self, error: Exception | None = None) -> None:
        self.timeouts: list[float] = []
        self._error = error

    def flush(self, timeout: float = 2.0, /) -> None:
        """Take note."""
        self.timeouts.append(timeout)
        if self._error is not None:
            raise self._error

    async def aflush(self, timeout: float = 2.0, /) -> None:  # noqa: ASYNC109 - the producer's own signature
        """Take note."""
        self.flush(timeout)


@pytest.mark.parametrize(
    ("context", "seconds"),
    [(Context(60_000), 2.0), (Context(1_500), 1.0), (Context(400), 0.0), (None, 2.0), (object(), 2.0)],
)
def test_budget_is_the_cap_or_what_the_invocation_has_left(context: object, seconds: float) -> None:
    """A margin stays for the runtime's own answer; without a context the cap holds."""
    assert budget(context) == seconds


def test_sync_handler_keeps_its_result_name_and_arguments() -> None:
    """And its envelopes are on the queue when it returns."""
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
    """As some runtimes do: each invocation has an `asyncio.run` of its own."""
    queue = FakeQueue()
    with running_producer(queue, max_age=600.0) as producer:

        @producer.lambda_handler
        async def handler(event: dict[str, Any], context: object) -> str:  # noqa: ARG001 - the signature that Lambda calls
            producer.enqueue(**recommendation(event["number"]))
            return "done"

        for number in range(2):
            assert asyncio.run(handler({"number": number}, context=Context(60_000))) == "done"
            assert producer.balance.sent == number + 1


def test_exception_of_the_handler_passes_after_the_drain() -> None:
    """What was enqueued before a crash is what an audit wants most."""
    queue = FakeQueue()
    with running_producer(queue, max_age=600.0) as producer:

        @producer.lambda_handler
        def handler(_event: object, _context: object) -> None:
            producer.enqueue(**recommendation())
            raise KeyError("consensus")

        with pytest.raises(KeyError, match="consensus"):
            handler({}, Context(60_000))
        assert producer.balance.sent == 1


def test_exception_of_an_async_handler_passes_after_the_drain() -> None:
    """The same for a coroutine."""
    recording = Recording()

    async def handler(_event: object, _context: object) -> None:
        raise KeyError("consensus")

    with pytest.raises(KeyError, match="consensus"):
        asyncio.run(drained(handler, recording)({}, Context(1_500)))
    assert recording.timeouts == [1.0]


def test_invocation_with_no_time_left_is_not_held_up() -> None:
    """What could not be sent stays for the next invocation."""
    with running_producer(BlackHole()) as producer:

        @producer.lambda_handler
        def handler(_event: object, _context: object) -> str:
            producer.enqueue(**recommendation())
            return "done"

        assert handler({}, Context(100)) == "done"
        assert producer.balance.pending == 1


def test_drain_that_fails_changes_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The handler's answer stands, whatever happens to the draining."""
    caplog.set_level(logging.WARNING, "recommendation_producer")
    handler = drained(lambda _event, _context: "done", Recording(ZeroDivisionError()))
    assert handler({}, Context(60_000)) == "done"
    assert caplog.messages == ["draining failed: ZeroDivisionError"]
