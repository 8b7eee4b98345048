"""The batches that every consumer handles: SQS events of 5 KB recommendations of three kinds."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from benchmarks.support.recommendation import leaves, simplest_fields, typical_fields
from recommendation_shared.envelope.model import write_envelope
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

PROSE: Final = "prose only"  # simpler than any recorded output of this size
FEW: Final = "few leaves"
MANY: Final = "many leaves"
_BODY_BYTES: Final = 5_000
_SENT: Final = str(int(datetime.now(UTC).timestamp() * 1000))  # epoch milliseconds


def event_text(kind: str, records: int, body_bytes: int = _BODY_BYTES) -> str:
    """Return an event as the Lambda runtime receives it: seven agents an execution, every ID of its own.

    `body_bytes` is the size of a body with few leaves or of prose; one with many is a recorded output, whole.
    """
    fields = _MAKERS[kind](body_bytes)
    return json.dumps({"Records": [_record(number, _body(fields, number)) for number in range(records)]})


def facts(kind: str) -> dict[str, int]:
    """Return the size of one body in bytes, and its leaves."""
    body = json.loads(event_text(kind, 1))["Records"][0]["body"]
    return {"bytes": len(body.encode()), "leaves": leaves(json.loads(body))}


@cache
def _recorded() -> dict[str, Any]:
    return typical_fields()


def _many_leaves(_: int) -> dict[str, Any]:
    """Return a recorded output as it is."""
    return _recorded()


def _few_leaves(body_bytes: int) -> dict[str, Any]:
    """Return the recorded output with the fewest leaves, its reasoning lengthened."""
    fields = {**simplest_fields(), "reasoning": ""}
    return {**fields, "reasoning": _words(body_bytes)[: body_bytes - len(_body(fields, 0))]}


def _prose(body_bytes: int) -> dict[str, Any]:
    """Return a recorded output with its structure told in prose; citations and metadata are as they were."""
    fields = {**_recorded(), "recommendation": {"action": "roll back", "rationale": ""}, "reasoning": ""}
    room, words = body_bytes - len(_body(fields, 0)), _words(body_bytes)
    fields["recommendation"]["rationale"] = words[: room // 2]
    return {**fields, "reasoning": words[room // 2 : room]}


_MAKERS: Final = {PROSE: _prose, FEW: _few_leaves, MANY: _many_leaves}


def _words(characters: int) -> str:
    """Return at least so many characters of what agents wrote."""
    words = " ".join(_texts(_recorded()["recommendation"]))
    return words * (characters // len(words) + 1)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for child in children for text in _texts(child)]


def _body(fields: dict[str, Any], number: int) -> str:
    execution, agent = divmod(number, len(KNOWN_AGENT_TYPES))
    own = {
        "incident_id": f"incident-2026-{execution:04}",
        "execution_id": f"execution-{execution:04}",
        "agent_type": KNOWN_AGENT_TYPES[agent],
        "timestamp": datetime.now(UTC),
    }
    return write_envelope(**{**fields, **own}).body.decode()


def _record(number: int, body: str) -> dict[str, Any]:
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 8,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": _SENT,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": _SENT,
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:opx-recommendations",
        "awsRegion": "us-east-1",
    }
