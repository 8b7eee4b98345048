"""What surrounds the consumer in Lambda: the event, the context, and how the answer is read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recommendation_shared.envelope import Envelope

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:opx-recommendations"
COMPLETED = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def envelope(agent_type: str = "consensus", **fields: Any) -> Envelope:
    """Make a valid envelope that an agent completed at `COMPLETED`."""
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
    """Make a valid message body."""
    return envelope(agent_type, **fields).to_json().decode()


def bodies(count: int, **fields: Any) -> list[str]:
    """Make valid bodies, each of another recommendation."""
    return [body(f"agent-{number}", **fields) for number in range(count)]


def record(message_id: str, text: Any, sent_at: int = 1_769_860_800_000) -> dict[str, Any]:
    """Make a record as an SQS event source mapping hands it over; `sent_at` is in epoch milliseconds."""
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": text,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent_at), "SenderId": "someone"},
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    }


def again(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as SQS delivers it another time."""
    return {**one, "attributes": {**one["attributes"], "ApproximateReceiveCount": "2"}}


def event(*texts: Any) -> dict[str, Any]:
    """Make an event whose messages are `m0`, `m1`, … with these bodies, sent a millisecond apart."""
    return {"Records": [record(f"m{index}", text, 1_769_860_800_000 + index) for index, text in enumerate(texts)]}


@dataclass
class Context:
    """Lambda's context, with a fixed time left."""

    remaining_ms: int = 30_000
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return self.remaining_ms


def redelivered(response: Any, messages: Mapping[str, Any]) -> set[str]:
    """Return the IDs of the messages that Lambda leaves in the queue; all others it deletes.

    After the Developer Guide, "Implementing partial batch responses": nothing, or an empty or null list, is full
    success; an answer that is no JSON, or an identifier that is null, empty, unknown or under another name, is full
    failure.
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
    named = [failure.get("itemIdentifier") if isinstance(failure, dict) else None for failure in failures]
    return {name for name in named if name} if all(name in sent for name in named) else sent


def named(response: Any) -> Sequence[str]:
    """Return the identifiers of a response in their order, after checking that it has exactly the documented form."""
    assert list(response) == ["batchItemFailures"]
    assert all(list(failure) == ["itemIdentifier"] for failure in response["batchItemFailures"])
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]
