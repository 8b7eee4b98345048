"""The poller of the chaos run deletes what Lambda's would, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.pipeline.plan import Plan
from tests.chaos.pipeline.poller import Poller

PLAN = Plan.of(envelopes=1, folder="", day="2026-01-31", seed=1, consumers=1, minutes=1.0)


class Queue:
    """Gives 13 messages, and remembers what is deleted."""

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

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        """Give at most ten."""
        most = asked["MaxNumberOfMessages"]
        given, self.messages = self.messages[:most], self.messages[most:]
        return {"Messages": given} if given else {}

    def delete_message_batch(self, **asked: Any) -> dict[str, Any]:
        """Take at most ten."""
        assert len(asked["Entries"]) <= 10
        self.deleted += [entry["ReceiptHandle"] for entry in asked["Entries"]]
        return {}


def polled(invoke: Callable[[Any, Any], Any]) -> tuple[Queue, list[Any]]:
    """Poll once; return the queue and the events that the function got."""
    queue, events = Queue(), []

    def function(event: Any, context: Any) -> Any:
        assert 0 < context.get_remaining_time_in_millis() <= PLAN.function_timeout * 1000
        events.append(event)
        return invoke(event, context)

    Poller(PLAN, queue, "url", function).poll()
    return queue, events


def test_a_batch_is_filled_from_several_requests_and_deleted_when_nothing_failed() -> None:
    """In the form of a record that Lambda hands over."""
    queue, events = polled(lambda _event, _context: {"batchItemFailures": []})
    (event,) = events
    assert [record["messageId"] for record in event["Records"]] == [f"m{number}" for number in range(13)]
    assert event["Records"][3]["body"] == "body 3"
    assert event["Records"][3]["attributes"]["ApproximateReceiveCount"] == "2"
    assert queue.deleted == [f"receipt-{number}" for number in range(13)]


def test_only_what_is_not_named_is_deleted() -> None:
    """The named ones return when their visibility timeout is over."""
    failures = [{"itemIdentifier": "m0"}, {"itemIdentifier": "m12"}]
    queue, _ = polled(lambda _event, _context: {"batchItemFailures": failures})
    assert queue.deleted == [f"receipt-{number}" for number in range(1, 12)]


@pytest.mark.parametrize(
    "answer", ["done", {"batchItemFailures": [{"itemIdentifier": "of nobody"}]}, {"batchItemFailures": [{"id": "m0"}]}]
)
def test_a_malformed_answer_deletes_nothing(answer: Any) -> None:
    """Lambda takes it for full failure."""
    assert polled(lambda _event, _context: answer)[0].deleted == []


def test_a_function_that_raises_deletes_nothing() -> None:
    """And the poller goes on."""

    def fail(_event: Any, _context: Any) -> Any:
        raise RuntimeError

    assert polled(fail)[0].deleted == []


def test_an_empty_queue_invokes_nobody() -> None:
    """As Lambda does not."""
    queue = Queue()
    queue.messages = []
    Poller(PLAN, queue, "url", lambda _event, _context: pytest.fail("invoked")).poll()
    assert queue.deleted == []
