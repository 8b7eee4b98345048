"""How many messages a queue holds."""

from typing import Any, Final

_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def depth(sqs: Any, queue_url: str) -> int:
    """Return the number of messages in a queue, including those in flight. Exact on the local stack."""
    counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=_COUNTS)["Attributes"]
    return sum(map(int, counts.values()))
