"""The result of one invocation, and the response to Lambda that follows from it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

from recommendation_consumer.message import Message


class BatchItemFailure(TypedDict):
    """A message that SQS must redeliver, named by its message ID."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """The response that ReportBatchItemFailures requires. Lambda deletes every message that it does not name."""

    batchItemFailures: list[BatchItemFailure]


class Stored(NamedTuple):
    """A stored recommendation. `lag_ms` is the time in milliseconds from the agent's completion to the stored item."""

    incident_id: str
    agent_type: str
    lag_ms: float


@dataclass(slots=True)
class BatchResult:
    """The outcome of a batch. Each message counts once.

    It is stored, duplicate, expired, erased, dead-lettered or failed. `erased` holds the IDs of messages of erased
    incidents. `dead_lettered` counts by reason. `failures` maps message IDs to error types. `dead_letter_errors` counts
    dead letters that could not be sent, by cause. `throttled` counts requests that DynamoDB throttled at least in part,
    including those that succeeded when retried. `write_ms` is the time from reading the first message to storing the
    last item.
    """

    stored: list[Stored] = field(default_factory=list)
    duplicates: int = 0
    expired: int = 0
    erased: list[str] = field(default_factory=list)
    dead_lettered: Counter[str] = field(default_factory=Counter)
    dead_letter_errors: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    throttled: int = 0
    write_ms: float = 0.0


def respond(result: BatchResult, messages: Sequence[Message]) -> BatchResponse:
    """Return the response, which names each failed message once, in order of arrival.

    Lambda treats an empty list as complete success, and an unknown or empty identifier as complete failure (AWS Lambda
    Developer Guide, "Implementing partial batch responses").
    """
    failed = dict.fromkeys(message.message_id for message in messages if message.message_id in result.failures)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
