"""The consumer's surroundings in Lambda: the event, the context, and how Lambda reads the response."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recommendation_shared.envelope import Envelope

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:opx-recommendations"
COMPLETED = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def envelope(agent_type: str = "consensus", **fields: Any) -> Envelope:
    """Create a valid envelope, completed at `COMPLETED`."""
    return Envelope.create(
        **{
            "incident_id": "incident-123",
            "execution_id": "execution-1",
            "agent_type": agent_type,
            "timestamp": COMPLETED,
            "recommendation": {"action": "roll back"},
            "confidence": 0.87,
            **fields,
        }
    )


def body(agent_type: str = "consensus", **fields: Any) -> str:
    """Create a valid message body."""
    return envelope(agent_type, **fields).to_json().decode()


def bodies(count: int, **fields: Any) -> list[str]:
    """Create valid bodies, each for a different recommendation."""
    return [body(f"agent-{number}", **fields) for number in range(count)]


def record(message_id: str, text: Any, sent_at: int = 1_769_860_800_000, **attributes: str) -> dict[str, Any]:
    """Create a record as an SQS event source mapping delivers it, a second after it was sent.

    `sent_at` is in epoch milliseconds; `attributes` replace system attributes or add some.
    """
    system = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(sent_at),
        "SenderId": "someone",
        "ApproximateFirstReceiveTimestamp": str(sent_at + 1_000),
    }
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": text,
        "attributes": {**system, **attributes},
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    }


def again(delivered: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as SQS redelivers it."""
    return {**delivered, "attributes": {**delivered["attributes"], "ApproximateReceiveCount": "2"}}


def event(*texts: Any) -> dict[str, Any]:
    """Create an event whose messages `m0`, `m1`, … have these bodies and were sent a millisecond apart."""
    return {"Records": [record(f"m{index}", text, 1_769_860_800_000 + index) for index, text in enumerate(texts)]}


@dataclass
class Context:
    """Lambda's context, with a fixed remaining time."""

    remaining_ms: int = 30_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return self.remaining_ms


def redelivered(response: Any, messages: Mapping[str, Any]) -> set[str]:
    """Return the IDs of the messages that Lambda leaves in the queue; it deletes all others.

    This follows the Developer Guide, "Implementing partial batch responses". An empty response, or an empty or null
    list, is a complete success. A response that is not JSON, or an identifier that is null, empty, unknown or under
    another key, is a complete failure.
    """
    sent = {record["messageId"] for record in messages["Records"]}
    try:
        response = json.loads(json.dumps(response))
    except (TypeError, ValueError):
        return sent
    if response is None or response == {}:
        return set()
    if not isinstance(response, dict):
        return sent
    failures = response.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return sent
    identifiers = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures]
    return {name for name in identifiers if name} if all(name in sent for name in identifiers) else sent


def named(response: Any) -> Sequence[str]:
    """Check that a response has exactly the documented structure, and return its identifiers in order."""
    assert list(response) == ["batchItemFailures"]
    assert all(list(failure) == ["itemIdentifier"] for failure in response["batchItemFailures"])
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]
