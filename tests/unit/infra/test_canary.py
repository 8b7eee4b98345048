"""The canary: it must be stored and acknowledged before the stack counts as ready."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.errors import StackError
from infra.local.canary import VISIBILITY_TIMEOUT, wait_until_consumed

QUEUE = "http://127.0.0.1:4566/000000000000/recommendations"
DLQ = f"{QUEUE}-dlq"


class Consumer:
    """Queues, table, consumer and keeper in one; it stores, acknowledges and keeps the canary only after some polls."""

    def __init__(self, *, stored_after: int = 2, acknowledged_after: int = 2, kept_after: int = 2) -> None:
        self.stored_after = stored_after
        self.acknowledged_after = acknowledged_after
        self.kept_after = kept_after
        self.visibility_timeout = "5"
        self.calls: list[str] = []

    def client(self, _service: str) -> "Consumer":
        """Return the client of either service."""
        return self

    def send_message(self, **_: Any) -> None:
        """Record the call, which must find the longer visibility timeout."""
        assert self.visibility_timeout == VISIBILITY_TIMEOUT
        self.calls.append("sent")

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the canary once it has been asked for often enough."""
        assert parameters["ConsistentRead"] is True
        self.stored_after -= 1
        if self.stored_after >= 0:
            return {}
        self.calls.append("stored")
        return {"Item": {}}

    def delete_item(self, **_: Any) -> None:
        """Record the call."""
        self.calls.append("deleted")

    def receive_message(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the dead letter once it has been asked for often enough."""
        assert parameters["QueueUrl"] == DLQ
        self.kept_after -= 1
        return {"Messages": [{"ReceiptHandle": "receipt"}]} if self.kept_after < 0 else {}

    def delete_message(self, **parameters: Any) -> None:
        """Record the call."""
        assert parameters == {"QueueUrl": DLQ, "ReceiptHandle": "receipt"}
        self.calls.append("dead letter removed")

    def get_queue_attributes(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the counts, or the visibility timeout. The canary is in flight until it is acknowledged."""
        if parameters["AttributeNames"] == ["VisibilityTimeout"]:
            return {"Attributes": {"VisibilityTimeout": self.visibility_timeout}}
        self.acknowledged_after -= 1
        in_flight = self.acknowledged_after >= 0
        self.calls.append("in flight" if in_flight else "acknowledged")
        counts = dict.fromkeys(parameters["AttributeNames"], "0")
        return {"Attributes": {**counts, "ApproximateNumberOfMessagesNotVisible": "1" if in_flight else "0"}}

    def set_queue_attributes(self, **parameters: Any) -> None:
        """Change the visibility timeout."""
        self.visibility_timeout = parameters["Attributes"]["VisibilityTimeout"]
        self.calls.append(f"visibility timeout {self.visibility_timeout}")


def _wait(consumer: Consumer, polls: int = 10) -> None:
    checks = iter(range(polls))

    def check() -> None:
        if next(checks, None) is None:
            raise StackError("the emulator has ended")

    wait_until_consumed(consumer.client, QUEUE, DLQ, "recommendations", check)


def test_canary_is_deleted_only_after_its_message_is_acknowledged() -> None:
    """If the message were still in flight, it could be delivered again and store the canary again."""
    consumer = Consumer()
    _wait(consumer)
    assert consumer.calls == [
        "visibility timeout 45",
        "sent",
        "stored",
        "in flight",
        "in flight",
        "acknowledged",
        "visibility timeout 5",
        "deleted",
        "dead letter removed",
    ]


@pytest.mark.parametrize("never", ["stored_after", "acknowledged_after"])
def test_waiting_ends_when_the_check_fails(never: str) -> None:
    """The queue's own visibility timeout is restored, and the canary stays for inspection."""
    consumer = Consumer(**{never: 1_000})
    with pytest.raises(StackError, match="the emulator has ended"):
        _wait(consumer, polls=2)
    assert consumer.visibility_timeout == "5"
    assert "deleted" not in consumer.calls


def test_stack_whose_keeper_does_not_work_is_not_ready() -> None:
    """It would lose what is deleted, unseen."""
    consumer = Consumer(kept_after=1_000)
    with pytest.raises(StackError, match="the emulator has ended"):
        _wait(consumer)
    assert consumer.calls[-1] == "deleted"
