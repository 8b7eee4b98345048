# ruff: noqa: INP001 - a single-file example; the folder is not a package
"""Redaction: mask email addresses and AWS access keys before a recommendation leaves the process.

Run it from the project folder: .venv/bin/python -m examples.redaction
It needs no account, because its queue only prints what would be sent.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from recommendation_producer import RecommendationProducer

MASKS: Final = (
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "<mail>"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "<access key>"),
)


def redact(value: Any) -> Any:
    """Return the value with every match masked, including in field names.

    The producer calls it with the arguments of `enqueue`. The IDs must not match any pattern, or they would change too.
    """
    if isinstance(value, str):
        for pattern, mask in MASKS:
            value = pattern.sub(mask, value)
        return value
    if isinstance(value, Mapping):
        return {redact(name): redact(child) for name, child in value.items()}
    if isinstance(value, list):
        return [redact(child) for child in value]
    return value


class PrintedQueue:
    """A stand-in for SQS."""

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Print each message and accept it."""
        for entry in Entries:
            body = json.loads(entry["MessageBody"])
            sent = {name: body[name] for name in ("incidentId", "recommendation", "reasoning", "metadata")}
            print(f"sent to {QueueUrl.rpartition('/')[2]}: {json.dumps(sent, indent=2)}")
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def main() -> None:
    """Enqueue a recommendation that contains secrets."""
    producer = RecommendationProducer(
        "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations",
        redact=redact,
        client_factory=PrintedQueue,  # leave this out to send to SQS
    )
    producer.enqueue(
        incident_id="incident-123",
        execution_id="execution-1",
        agent_type="change-intelligence",
        timestamp="2026-01-31T12:00:00Z",
        recommendation={"action": "ask jane.doe@example.com to roll back", "owners": {"ops@example.com": "primary"}},
        reasoning="The deploy used AKIAIOSFODNN7EXAMPLE.",
        metadata={"log": ["login by jane.doe@example.com"]},
    )
    print(producer.close())


if __name__ == "__main__":
    main()
