"""What one invocation did with the messages of its batch, and the response that follows from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

from recommendation_consumer.message import Message


class BatchItemFailure(TypedDict):
    """A message that SQS must deliver again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """What Lambda reads with ReportBatchItemFailures: every message not named here is deleted from the queue."""

    batchItemFailures: list[BatchItemFailure]


class Stored(NamedTuple):
    """A stored recommendation. `lag_ms` is the time from the agent's completion to the stored item."""

    incident_id: str
    agent_type: str
    lag_ms: float


@dataclass(slots=True)
class BatchResult:
    """Every message is counted once: stored, duplicate, expired, dead-lettered (by reason) or failed.

    `failures` maps message IDs to error types. `throttled` counts writes that DynamoDB refused, retried or not;
    `dead_letter_errors` counts, by cause, dead letters that could not be sent. `write_ms` runs from reading the first
    message to storing the last item.
    """

    stored: list[Stored] = field(default_factory=list)
    duplicates: int = 0
    expired: int = 0
    dead_lettered: Counter[str] = field(default_factory=Counter)
    dead_letter_errors: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    throttled: int = 0
    write_ms: float = 0.0


def respond(result: BatchResult, messages: Sequence[Message]) -> BatchResponse:
    """Name the failed messages, each once and in order of arrival.

    Lambda treats an empty list as complete success, and an unknown or empty identifier as complete failure.
    """
    failed = dict.fromkeys(message.message_id for message in messages if message.message_id in result.failures)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
