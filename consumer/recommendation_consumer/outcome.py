"""What one invocation did with the messages of its batch, and the answer that follows from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

from recommendation_consumer.message import Message


class BatchItemFailure(TypedDict):
    """A message that SQS is to deliver again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """What Lambda reads with ReportBatchItemFailures: every message that is not named is deleted from the queue."""

    batchItemFailures: list[BatchItemFailure]


class Stored(NamedTuple):
    """A stored recommendation. `lag_ms` is from the agent's completion until then."""

    incident_id: str
    agent_type: str
    lag_ms: float


@dataclass(slots=True)
class Outcome:
    """Every message is counted once: stored, duplicate, expired, dead letter (by reason) or failure.

    `failures` maps message IDs to error types. `throttled` counts writes that DynamoDB refused, retried or not;
    `dead_letter_errors` the causes for which dead letters could not be sent. `write_ms` is from the first message that
    was read to the last item that was stored.
    """

    stored: list[Stored] = field(default_factory=list)
    duplicates: int = 0
    expired: int = 0
    dead_lettered: Counter[str] = field(default_factory=Counter)
    dead_letter_errors: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    throttled: int = 0
    write_ms: float = 0.0


def respond(outcome: Outcome, messages: Sequence[Message]) -> BatchResponse:
    """Name the failed messages, each once and in order of arrival.

    Lambda takes an empty list for full success, and an unknown or empty identifier for full failure.
    """
    failed = dict.fromkeys(message.message_id for message in messages if message.message_id in outcome.failures)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
