"""A client of the real queues, beside the proxy: how much waits, and what is dead."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from tests.chaos.pipeline.letter import DeadLetter

_WAITING: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
_HIDDEN: Final = 600  # seconds; longer than reading takes


def waiting(sqs: Any, queue_url: str) -> int:
    """Return how many messages can be received."""
    return _count(sqs, queue_url, _WAITING)


def left(sqs: Any, queue_url: str) -> int:
    """Return how many messages are in a queue, those in flight included."""
    return _count(sqs, queue_url, _WAITING, _IN_FLIGHT)


def _count(sqs: Any, queue_url: str, *names: str) -> int:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names))["Attributes"]
    return sum(int(attributes[name]) for name in names)


def dead_letters(sqs: Any, dlq_url: str) -> Iterator[DeadLetter]:
    """Read the dead-letter queue to its end; each message once, since it stays hidden."""
    while messages := sqs.receive_message(
        QueueUrl=dlq_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HIDDEN,
        MessageAttributeNames=["failureReason"],
        MessageSystemAttributeNames=["ApproximateReceiveCount", "DeadLetterQueueSourceArn"],
    ).get("Messages"):
        for message in messages:
            reason = message.get("MessageAttributes", {}).get("failureReason")
            # The receives of the queue it was moved from go on counting here, so the last one is ours.
            was_moved = "DeadLetterQueueSourceArn" in message["Attributes"]
            receives = int(message["Attributes"]["ApproximateReceiveCount"]) - 1 if was_moved else 0
            yield DeadLetter(sha256(message["Body"].encode()).hexdigest(), reason and reason["StringValue"], receives)
