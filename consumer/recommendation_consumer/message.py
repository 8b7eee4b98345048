"""Read an SQS event source mapping's event, reduced to what the consumer needs."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from recommendation_shared.envelope.field_rules import MAPPING
from recommendation_shared.queue.batches import TRACE_HEADER
from recommendation_shared.queue.dead_letter import FAILURE_REASON, REPLAY_COUNT

_TIME: Final = re.compile(r"[0-9]{1,18}")  # epoch milliseconds
_SOURCE_OF_DEAD_LETTER: Final = "DeadLetterQueueSourceArn"
_UNKNOWN_TIME: Final = 2**63  # sorts after every message whose time is known


class MalformedEventError(ValueError):
    """The event is not from SQS, or a response could not name one of its records. Nothing was done with it.

    Lambda deletes every message that a partial batch response does not name, so the whole batch must fail.
    """


class Message(NamedTuple):
    """One record of the event. `sent_at` is SQS's SentTimestamp in epoch milliseconds.

    `body` is None if the record has no text, which SQS never delivers. `attributes` are the event's message attributes,
    unparsed because only a dead letter needs them. `redelivered` is true if the message may have been stored before:
    its receive count is above 1, or it was a dead letter. `received_at` is when SQS first delivered it, in epoch
    milliseconds, or 0 if unknown. `trace_header` is X-Ray's, if the sender had one.
    """

    message_id: str
    body: str | None
    sent_at: int
    queue_arn: str
    attributes: Mapping[str, Any] = MappingProxyType({})
    redelivered: bool = False
    received_at: int = 0
    trace_header: str | None = None


def read_messages(event: Any) -> list[Message]:
    """Return the event's messages in order of arrival. Raises `MalformedEventError`."""
    if not isinstance(event, MAPPING) or not isinstance(event.get("Records"), list):
        raise MalformedEventError("The event must be an object with a `Records` list: is the trigger an SQS queue?")
    return [_read_record(record, index) for index, record in enumerate(event["Records"])]


def _read_record(record: Any, index: int) -> Message:
    message_id = record.get("messageId") if isinstance(record, MAPPING) else None
    if not isinstance(message_id, str) or not message_id:
        raise MalformedEventError(
            f"Records[{index}] must have a non-empty `messageId`: otherwise a response cannot name it"
        )
    body, queue_arn = record.get("body"), record.get("eventSourceARN")
    system, attributes = _mapping(record.get("attributes")), _mapping(record.get("messageAttributes"))
    sent_at, trace_header = _milliseconds(system.get("SentTimestamp"), _UNKNOWN_TIME), system.get(TRACE_HEADER)
    return Message(
        message_id,
        body if isinstance(body, str) and body else None,
        sent_at,
        queue_arn if isinstance(queue_arn, str) else "",
        attributes,
        _came_back(system, attributes),
        _milliseconds(system.get("ApproximateFirstReceiveTimestamp"), 0 if sent_at == _UNKNOWN_TIME else sent_at),
        trace_header if isinstance(trace_header, str) and trace_header else None,
    )


def _came_back(system: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Return whether the message may have been delivered before, by this queue or before it was a dead letter.

    A native redrive (StartMessageMoveTask, the console) makes new messages, whose receive count is 1. They still name
    the queue whose redrive policy moved them, or have the attributes that the consumer gave them.
    """
    return (
        system.get("ApproximateReceiveCount", "1") != "1"
        or _SOURCE_OF_DEAD_LETTER in system
        or FAILURE_REASON in attributes
        or REPLAY_COUNT in attributes
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, MAPPING) else {}


def _milliseconds(text: Any, unknown: int) -> int:
    return int(text) if isinstance(text, str) and _TIME.fullmatch(text) else unknown
