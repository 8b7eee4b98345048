"""The poller of the chaos run deletes the messages that Lambda's poller would delete, and no others."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.pipeline.consumer_process import Poller
from tests.chaos.pipeline.plan import Plan

PLAN = Plan.of(envelopes=1, folder="", day="2026-01-31", seed=1, consumers=1, minutes=1.0)


class Queue:
    """Holds 13 messages, and records which are deleted."""

    def __init__(self) -> None:
        self.messages = [
            {
                "MessageId": f"m{number}",
                "ReceiptHandle": f"receipt-{number}",
                "Body": f"body {number}",
                "Attributes": {"SentTimestamp": "1769860800000", "ApproximateReceiveCount": "2"},
            }
            for number in range(13)
        ]
        self.deleted: list[str] = []

    def receive_message(self, **parameters: Any) -> dict[str, Any]:
        """Return at most as many messages as asked."""
        most = parameters["MaxNumberOfMessages"]
        received, self.messages = self.messages[:most], self.messages[most:]
        return {"Messages": received} if received else {}

    def delete_message_batch(self, **parameters: Any) -> dict[str, Any]:
        """Delete at most ten messages."""
        assert len(parameters["Entries"]) <= 10
        self.deleted += [entry["ReceiptHandle"] for entry in parameters["Entries"]]
        return {}


def polled(invoke: Callable[[Any, Any], Any]) -> tuple[Queue, list[Any]]:
    """Poll once; return the queue and the events that the function received."""
    queue, events = Queue(), []

    def function(event: Any, context: Any) -> Any:
        assert 0 < context.get_remaining_time_in_millis() <= PLAN.function_timeout * 1000
        events.append(event)
        return invoke(event, context)

    Poller(PLAN, queue, "url", function).poll()
    return queue, events


def test_a_batch_is_filled_by_several_receives_and_deleted_when_nothing_failed() -> None:
    """The event has Lambda's format."""
    queue, events = polled(lambda _event, _context: {"batchItemFailures": []})
    (event,) = events
    assert [record["messageId"] for record in event["Records"]] == [f"m{number}" for number in range(13)]
    assert event["Records"][3]["body"] == "body 3"
    assert event["Records"][3]["attributes"]["ApproximateReceiveCount"] == "2"
    assert queue.deleted == [f"receipt-{number}" for number in range(13)]


def test_batch_item_failures_are_not_deleted() -> None:
    """They become visible again after their visibility timeout."""
    failures = [{"itemIdentifier": "m0"}, {"itemIdentifier": "m12"}]
    queue, _ = polled(lambda _event, _context: {"batchItemFailures": failures})
    assert queue.deleted == [f"receipt-{number}" for number in range(1, 12)]


@pytest.mark.parametrize(
    "response",
    ["done", {"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": [{"id": "m0"}]}],
)
def test_a_malformed_response_deletes_nothing(response: Any) -> None:
    """Lambda treats it as a complete failure."""
    assert polled(lambda _event, _context: response)[0].deleted == []


def test_a_function_that_raises_deletes_nothing() -> None:
    """The poller continues."""

    def fail(_event: Any, _context: Any) -> Any:
        raise RuntimeError

    assert polled(fail)[0].deleted == []


def test_an_empty_queue_invokes_nothing() -> None:
    """Lambda does not invoke a function with an empty batch either."""
    queue = Queue()
    queue.messages = []
    Poller(PLAN, queue, "url", lambda _event, _context: pytest.fail("invoked")).poll()
    assert queue.deleted == []
