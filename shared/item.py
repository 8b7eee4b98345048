"""An envelope as the table's item: DynamoDB JSON with its derived attributes `ttl` and `contentDigest`."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from shared import limits
from shared.attribute_value import AttributeValue, decode_map, encode_map
from shared.envelope import DERIVED_FIELDS, Envelope
from shared.identity import expiry
from shared.item_size import item_size
from shared.trim import trim

PARTITION_KEY: Final = "recommendationId"


class EncodedItem(NamedTuple):
    """An item ready to be written: `body` is its DynamoDB JSON in UTF-8; `expires_at` is in epoch seconds."""

    recommendation_id: str
    body: bytes
    digest: str
    expires_at: int | None


def encode_item(envelope: Envelope) -> EncodedItem:
    """Encode an envelope, trimmed when it is over DynamoDB's 400 KB. Equal envelopes give equal bytes."""
    expires_at = expiry(envelope.timestamp, envelope.retention)
    fields = envelope.wire_fields()
    content = encode_map(fields)
    # The text is never shorter than the item is large, so most items need no measuring.
    if len(content) > limits.ITEM_BYTES // 4 and _is_over_limit(content):
        content = encode_map(trim(decode_map(json.loads(content))))
    digest = _digest(content)
    ttl = "" if expires_at is None else f',"ttl":{{"N":"{expires_at}"}}'
    body = f'{content[:-1]},"contentDigest":{{"S":"{digest}"}}{ttl}}}'
    return EncodedItem(envelope.recommendation_id, body.encode(), digest, expires_at)


def _is_over_limit(content: str) -> bool:
    # What is added below: both names, 64 hexadecimal digits, and a number of at most 12 digits.
    derived = len("contentDigest") + 64 + len("ttl") + 8
    return item_size(json.loads(content)) + derived > limits.ITEM_BYTES


def decode_item(item: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Return an item in DynamoDB JSON as plain JSON values: whole numbers as int, other numbers as Decimal."""
    return decode_map(item)


def item_digest(item: Mapping[str, AttributeValue]) -> str:
    """Return the SHA-256 (hex) of an item's content; equals its `contentDigest` when nothing was changed."""
    return _digest(encode_map(decode_map({name: item[name] for name in item.keys() - DERIVED_FIELDS})))


def _digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()
