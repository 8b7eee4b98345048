"""The AsyncAPI 3 document: the two queues, their messages, and who sends and receives them."""

from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.envelope.fields import DIGEST
from recommendation_shared.queue import dead_letter
from recommendation_shared.queue.batches import TRACE_HEADER

SCHEMA: Final = "../envelope.schema.json"
_QUEUE: Final = "recommendations"
_DLQ: Final = "deadLetters"
_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"


def asyncapi(version: str) -> dict[str, Any]:
    """Return the document as JSON values; `version` is the project's."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "OPX agent recommendations",
            "version": version,
            "description": "What AI agents advised during an incident, one recommendation a message.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            _QUEUE: _channel("opx-recommendations", "Recommendations on their way to the table.", ["recommendation"]),
            _DLQ: _channel(
                "opx-recommendations-dlq", "Messages that could not be stored, until they are redriven.", ["deadLetter"]
            ),
        },
        "operations": {
            "sendRecommendation": _operation("send", _QUEUE, "An executor hands over one agent's output."),
            "storeRecommendation": _operation("receive", _QUEUE, "The consumer stores it in DynamoDB, or refuses it."),
            "keepDeadLetter": _operation("send", _DLQ, "The consumer keeps what no retry can store, with the reason."),
        },
        "components": {"messages": _messages()},
    }


def _channel(address: str, description: str, messages: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"sqs": {"queue": {"name": address, "fifoQueue": False}}},
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _messages() -> dict[str, Any]:
    return {
        "recommendation": {
            "title": "Envelope",
            "summary": "One recommendation of one agent about one incident.",
            "description": (
                f"At most {limits.SQS_REQUEST_BYTES:,} bytes of UTF-8, its attributes included. Sending it again does "
                f"no harm: {DIGEST} tells a duplicate from a conflict. The system attribute {TRACE_HEADER} may carry "
                "X-Ray's trace header."
            ),
            "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": SCHEMA}},
        },
        "deadLetter": {
            "title": "Dead letter",
            "summary": "The body of a message that could not be stored, unchanged, with the reason in its attributes.",
            "description": (
                "SQS moves messages here itself, too; such a message has none of these attributes. The keeper's "
                f"letters ({dead_letter.TAMPERED}, {dead_letter.DELETED}, some of {dead_letter.ID_CONFLICT}) hold "
                "what was in the table before, as an envelope."
            ),
            "headers": {"type": "object", "properties": _dead_letter_attributes()},
            "payload": {"description": "whatever was sent, which may be no envelope at all"},
        },
    }


def _dead_letter_attributes() -> dict[str, Any]:
    described = {
        dead_letter.FAILURE_REASON: "why no retry can store it",
        dead_letter.FAILURE_DETAIL: f"which rule it breaks, in at most {dead_letter.DETAIL_BYTES:,} bytes",
        dead_letter.ORIGINAL_MESSAGE_ID: "the ID that SQS gave the message in the queue",
        dead_letter.SOURCE_QUEUE_ARN: "the queue that it came from",
        dead_letter.REPLAY_COUNT: "how often it was redriven",
    }
    attributes: dict[str, Any] = {name: {"type": "string", "description": text} for name, text in described.items()}
    attributes[dead_letter.FAILURE_REASON]["enum"] = list(dead_letter.POISON)
    return attributes
