"""A message as an entry for the dead-letter queue: its body unchanged, with attributes that say why it is there."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from recommendation_shared.queue import dead_letter

# Characters that SQS does not accept in text (Amazon SQS API reference, SendMessageBatch); it would refuse the entry.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Attributes = dict[str, dict[str, Any]]  # by name: DataType, and StringValue or BinaryValue
Entry = dict[str, Any]  # of SendMessageBatch


def make_entry(poison: Poison, entry_id: str) -> Entry:
    """Return the entry of a dead letter.

    Attributes that the message came with are kept while there is room next to the consumer's own: the replay counter
    first, the others in the order of their names. The consumer's own replace those of an earlier dead-lettering.
    """
    own = {
        dead_letter.FAILURE_REASON: poison.reason,
        dead_letter.FAILURE_DETAIL: _detail(poison.detail),
        dead_letter.ORIGINAL_MESSAGE_ID: poison.message.message_id,
        dead_letter.SOURCE_QUEUE_ARN: poison.message.queue_arn,
    }
    # SQS refuses an attribute without a value.
    attributes: Attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in own.items() if value
    }
    for name, attribute in _received_attributes(poison.message.attributes):
        if len(attributes) == limits.SQS_MESSAGE_ATTRIBUTES:
            break
        if name not in own:
            attributes[name] = attribute
    return {"Id": entry_id, "MessageBody": poison.message.body, "MessageAttributes": attributes}


def _detail(text: str) -> str:
    return _FORBIDDEN.sub("?", text).encode()[: dead_letter.DETAIL_BYTES].decode(errors="ignore")


def _received_attributes(attributes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the attributes of an event's record in the form in which they are sent; skip those without a value."""
    for name in sorted(attributes, key=lambda name: (name != dead_letter.REPLAY_COUNT, name)):
        match attributes[name]:
            case {"dataType": str(data_type), "stringValue": str(text)} if text:
                yield name, {"DataType": data_type, "StringValue": text}
            case {"dataType": str(data_type), "binaryValue": str(encoded)}:
                try:
                    value = base64.b64decode(encoded, validate=True)
                except binascii.Error:  # not from SQS: an event that somebody wrote by hand
                    continue
                if value:
                    yield name, {"DataType": data_type, "BinaryValue": value}
