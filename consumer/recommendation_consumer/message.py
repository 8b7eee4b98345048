"""Read an SQS event source mapping's event, reduced to what the consumer needs."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from recommendation_shared.envelope.field_rules import MAPPING
from recommendation_shared.queue.dead_letter import FAILURE_REASON, REPLAY_COUNT

_TIME: Final = re.compile(r"[0-9]{1,18}")  # epoch milliseconds
_UNKNOWN_TIME: Final = 2**63  # sorts after every message whose time is known


class MalformedEventError(ValueError):
    """The event is not from SQS, or a response could not name one of its records. Nothing was done with it.

    Lambda deletes every message that a partial batch response does not name, so the whole batch must fail.
    """


class Message(NamedTuple):
    """One record of the event. `sent_at` is SQS's SentTimestamp in epoch milliseconds.

    `body` is None if the record has no text, which SQS never delivers. `attributes` are the event's message attributes,
    unparsed because only a dead letter needs them. `redelivered` is true if the message may have been stored before:
    its receive count is above 1, or it was a dead letter.
    """

    message_id: str
    body: str | None
    sent_at: int
    queue_arn: str
    attributes: Mapping[str, Any] = MappingProxyType({})
    redelivered: bool = False


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
    return Message(
        message_id,
        body if isinstance(body, str) and body else None,
        _sent_at(system.get("SentTimestamp")),
        queue_arn if isinstance(queue_arn, str) else "",
        attributes,
        system.get("ApproximateReceiveCount", "1") != "1" or FAILURE_REASON in attributes or REPLAY_COUNT in attributes,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, MAPPING) else {}


def _sent_at(text: Any) -> int:
    return int(text) if isinstance(text, str) and _TIME.fullmatch(text) else _UNKNOWN_TIME
