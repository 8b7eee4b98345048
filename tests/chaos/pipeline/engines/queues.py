"""Read the queues without the proxy: how many messages wait, and which are dead letters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item

_WAITING: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
_HIDDEN: Final = 600  # seconds; longer than it takes to read everything


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in the dead-letter queue. `reason` is its `failureReason`.

    `receives` is its receive count in the source queue if the redrive policy moved it here (such a message has no
    reason), and otherwise 0.
    """

    body: str  # SHA-256
    reason: str | None
    receives: int
    is_keepers: bool = False  # it holds an item as it was in the table, rather than a message
    recommendation_id: str | None = None  # of a keeper's letter
    item: str | None = None  # the same: the item's fingerprint


def waiting(sqs: Any, queue_url: str) -> int:
    """Return how many messages are available to receive."""
    return _count(sqs, queue_url, _WAITING)


def left(sqs: Any, queue_url: str) -> int:
    """Return how many messages are in a queue, including those in flight."""
    return _count(sqs, queue_url, _WAITING, _IN_FLIGHT)


def _count(sqs: Any, queue_url: str, *names: str) -> int:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names))["Attributes"]
    return sum(int(attributes[name]) for name in names)


def dead_letters(sqs: Any, dlq_url: str) -> Iterator[DeadLetter]:
    """Read the whole dead-letter queue; each message is received only once, because it stays hidden."""
    while messages := sqs.receive_message(
        QueueUrl=dlq_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HIDDEN,
        MessageAttributeNames=["failureReason", "sourceQueueArn"],
        MessageSystemAttributeNames=["ApproximateReceiveCount", "DeadLetterQueueSourceArn"],
    ).get("Messages"):
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            reason = attributes.get("failureReason", {}).get("StringValue")
            # A moved message keeps its receive count, and this receive has added one to it.
            was_moved = "DeadLetterQueueSourceArn" in message["Attributes"]
            receives = int(message["Attributes"]["ApproximateReceiveCount"]) - 1 if was_moved else 0
            letter = DeadLetter(sha256(message["Body"].encode()).hexdigest(), reason, receives)
            is_keepers = ":dynamodb:" in attributes.get("sourceQueueArn", {}).get("StringValue", "")
            yield _keepers(letter, message["Body"]) if is_keepers else letter


def _keepers(letter: DeadLetter, body: str) -> DeadLetter:
    item = encode_item(read_envelope(body))
    fingerprint = sha256(item.body).hexdigest()
    return replace(letter, is_keepers=True, recommendation_id=item.recommendation_id, item=fingerprint)
