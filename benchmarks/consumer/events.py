"""SQS events of 5 KB recommendations of three kinds: the batches that every consumer handles."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from benchmarks.support.lambda_runtime import sqs_record
from benchmarks.support.recorded_outputs import count_leaves, simplest_fields, typical_fields
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.envelope.writing import write_envelope

PROSE: Final = "prose only"
FEW: Final = "few leaves"
MANY: Final = "many leaves"
_BODY_BYTES: Final = 5_000
_SENT: Final = str(int(datetime.now(UTC).timestamp() * 1000))  # epoch milliseconds


def event_text(kind: str, records: int, body_bytes: int = _BODY_BYTES) -> str:
    """Return an event as the Lambda runtime receives it: seven agents per execution, each record with a unique ID.

    `body_bytes` is the size of a body of prose or with few leaves; one with many leaves is a whole recorded output.
    """
    fields = _KINDS[kind](body_bytes)
    return json.dumps({"Records": [_record(number, _body(fields, number)) for number in range(records)]})


def facts(kind: str) -> dict[str, int]:
    """Return the size of one body in bytes, and its number of leaves."""
    body = json.loads(event_text(kind, 1))["Records"][0]["body"]
    return {"bytes": len(body.encode()), "leaves": count_leaves(json.loads(body))}


@cache
def _recorded() -> dict[str, Any]:
    return typical_fields()


def _many_leaves(_: int) -> dict[str, Any]:
    """Return a recorded output unchanged."""
    return _recorded()


def _few_leaves(body_bytes: int) -> dict[str, Any]:
    """Return the recorded output with the fewest leaves, with longer reasoning."""
    fields = {**simplest_fields(), "reasoning": ""}
    return {**fields, "reasoning": _words(body_bytes)[: body_bytes - len(_body(fields, 0))]}


def _prose(body_bytes: int) -> dict[str, Any]:
    """Return a recorded output with prose in place of its structure; citations and metadata stay."""
    fields = {**_recorded(), "recommendation": {"action": "roll back", "rationale": ""}, "reasoning": ""}
    room, words = body_bytes - len(_body(fields, 0)), _words(body_bytes)
    fields["recommendation"]["rationale"] = words[: room // 2]
    return {**fields, "reasoning": words[room // 2 : room]}


_KINDS: Final = {PROSE: _prose, FEW: _few_leaves, MANY: _many_leaves}


def _words(characters: int) -> str:
    """Return at least that many characters of recorded text."""
    words = " ".join(_texts(_recorded()["recommendation"]))
    return words * (characters // len(words) + 1)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for child in children for text in _texts(child)]


def _body(fields: dict[str, Any], number: int) -> str:
    execution, agent = divmod(number, len(KNOWN_AGENT_TYPES))
    identity = {
        "incident_id": f"incident-2026-{execution:04}",
        "execution_id": f"execution-{execution:04}",
        "agent_type": KNOWN_AGENT_TYPES[agent],
        "timestamp": datetime.now(UTC),
    }
    return write_envelope(**{**fields, **identity}).body.decode()


def _record(number: int, body: str) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": _SENT,
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": _SENT,
    }
    return sqs_record(
        f"059f36b4-87a3-44ab-83d2-{number:012}",
        body,
        attributes,
        receipt_handle="AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 8,
        md5="e4e68fb7bd0e697a0ae8f1bb342846b3",
    )
