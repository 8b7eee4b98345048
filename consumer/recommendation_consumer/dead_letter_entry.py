"""A message as the entry that puts it into the dead-letter queue: as it came, with attributes that say why."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from recommendation_consumer.message import FAILURE_REASON, REPLAY_COUNT
from recommendation_consumer.plan import Poison

_ATTRIBUTES: Final = 10  # of a message (Amazon SQS Developer Guide, "Message attributes")
_DETAIL_BYTES: Final = 1024
# What a text of SQS may not hold (Amazon SQS API reference, SendMessageBatch); it would refuse the entry.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Attributes = dict[str, dict[str, Any]]  # by name: DataType, and StringValue or BinaryValue
Entry = dict[str, Any]  # of SendMessageBatch


def make_entry(poison: Poison, entry_id: str) -> Entry:
    """Return the entry of a dead letter.

    Attributes that the message came with are kept as far as there is room beside the consumer's own, the replay
    counter first and then in the order of their names. Attributes of an earlier setting aside give way to the new ones.
    """
    ours = {
        FAILURE_REASON: poison.reason,
        "failureDetail": _FORBIDDEN.sub("?", poison.detail).encode()[:_DETAIL_BYTES].decode(errors="ignore"),
        "originalMessageId": poison.message.message_id,
        "sourceQueueArn": poison.message.queue_arn,
    }
    # SQS refuses an attribute without a value.
    attributes: Attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in ours.items() if value
    }
    for name, attribute in _carried(poison.message.attributes):
        if len(attributes) == _ATTRIBUTES:
            break
        if name not in ours:
            attributes[name] = attribute
    return {"Id": entry_id, "MessageBody": poison.message.body, "MessageAttributes": attributes}


def _carried(attributes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the attributes of an event in the form in which they are sent; leave out what has no value."""
    for name in sorted(attributes, key=lambda name: (name != REPLAY_COUNT, name)):
        match attributes[name]:
            case {"dataType": str(data_type), "stringValue": str(text)} if text:
                yield name, {"DataType": data_type, "StringValue": text}
            case {"dataType": str(data_type), "binaryValue": str(encoded)}:
                try:
                    value = base64.b64decode(encoded, validate=True)
                except binascii.Error:  # no event of SQS: made by hand
                    continue
                if value:
                    yield name, {"DataType": data_type, "BinaryValue": value}


def entry_bytes(entry: Entry) -> int:
    """Return the bytes that SQS counts: the body, and the name, type and value of each attribute."""
    total = _utf8_bytes(entry["MessageBody"])
    for name, attribute in entry["MessageAttributes"].items():
        total += _utf8_bytes(name) + _utf8_bytes(attribute["DataType"])
        total += _utf8_bytes(attribute.get("StringValue", "")) + len(attribute.get("BinaryValue", b""))
    return total


def _utf8_bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
