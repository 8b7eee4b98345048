"""Build a dead letter's SendMessageBatch entry: the unchanged body, with attributes that say why it failed."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from recommendation_shared.queue import dead_letter
from recommendation_shared.queue.batches import TRACE_HEADER

# Characters that make SQS reject an entry (Amazon SQS API Reference, SendMessageBatch).
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Attributes = dict[str, dict[str, Any]]  # DataType and StringValue or BinaryValue, by attribute name
Entry = dict[str, Any]  # of SendMessageBatch


def build_entry(poison: Poison, entry_id: str) -> Entry:
    """Return the entry of a dead letter.

    The message keeps its own attributes as far as SQS's limit of ten allows: the replay count first, the others in
    alphabetical order. The consumer's attributes replace those of an earlier dead-lettering. The trace header is a
    system attribute, which does not count.
    """
    own = {
        dead_letter.FAILURE_REASON: poison.reason,
        dead_letter.FAILURE_DETAIL: _detail(poison.detail),
        dead_letter.ORIGINAL_MESSAGE_ID: poison.message.message_id,
        dead_letter.SOURCE_QUEUE_ARN: poison.message.queue_arn,
    }
    # SQS rejects an attribute without a value.
    attributes: Attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in own.items() if value
    }
    for name, attribute in _received_attributes(poison.message.attributes):
        if len(attributes) == limits.SQS_MESSAGE_ATTRIBUTES:
            break
        if name not in own:
            attributes[name] = attribute
    entry = {"Id": entry_id, "MessageBody": poison.message.body, "MessageAttributes": attributes}
    if poison.message.trace_header is not None:
        header = {"DataType": "String", "StringValue": poison.message.trace_header}
        entry["MessageSystemAttributes"] = {TRACE_HEADER: header}
    return entry


def _detail(text: str) -> str:
    return _FORBIDDEN.sub("?", text).encode()[: dead_letter.DETAIL_BYTES].decode(errors="ignore")


def _received_attributes(attributes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Convert an event's message attributes to the form of SendMessageBatch; skip those without a valid value."""
    for name in sorted(attributes, key=lambda name: (name != dead_letter.REPLAY_COUNT, name)):
        match attributes[name]:
            case {"dataType": str(data_type), "stringValue": str(text)} if text:
                yield name, {"DataType": data_type, "StringValue": text}
            case {"dataType": str(data_type), "binaryValue": str(encoded)}:
                try:
                    value = base64.b64decode(encoded, validate=True)
                except binascii.Error:  # not from SQS, but from an event written by hand
                    continue
                if value:
                    yield name, {"DataType": data_type, "BinaryValue": value}
