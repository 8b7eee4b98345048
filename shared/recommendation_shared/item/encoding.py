"""Encode an envelope as the table's item: DynamoDB JSON with the derived attributes `ttl` and `contentDigest`."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from recommendation_shared import limits
from recommendation_shared.envelope.fields import HOLD, NOT_CONTENT, TRACE_HEADER, TTL
from recommendation_shared.envelope.identity import expiry
from recommendation_shared.item.attribute_value import AttributeValue, decode_map, encode_map
from recommendation_shared.item.holds import Hold, fitting_hold
from recommendation_shared.item.quick_encoding import encode_quickly
from recommendation_shared.item.size import item_size
from recommendation_shared.item.trim import trim

PARTITION_KEY: Final = "recommendationId"


class EncodedItem(NamedTuple):
    """An item ready to write.

    `body` is DynamoDB JSON in UTF-8. `digest` is the `contentDigest`: SHA-256 in hex. `expires_at` is in epoch seconds,
    or None if the item is kept indefinitely.
    """

    recommendation_id: str
    body: bytes
    digest: str
    expires_at: int | None


def encode_item(fields: Mapping[str, Any], trace_header: str | None = None, hold: Hold | None = None) -> EncodedItem:
    """Encode an envelope's fields (see `read_envelope`); trim them if the item exceeds DynamoDB's 400 KB.

    `trace_header` is stored in `metadata` unless the envelope has one, or there is no room for it. An item with a
    `hold` has no `ttl`. Equal arguments give identical bytes, and equal content has the same digest whatever its trace
    header and its hold.
    """
    if TRACE_HEADER in fields["metadata"]:
        metadata = dict(fields["metadata"])
        trace = metadata.pop(TRACE_HEADER)
        item = _with_trace(_encode({**fields, "metadata": metadata}), trace)
    else:
        item = _encode(fields) if trace_header is None else _with_trace(_encode(fields), trace_header)
    return item if hold is None else _with_hold(item, hold)


def _encode(fields: Mapping[str, Any]) -> EncodedItem:
    key, expires_at = fields[PARTITION_KEY], expiry(fields["timestamp"], fields["retention"])
    item = _with_derived(key, encode_quickly(fields) or encode_map(fields).encode(), expires_at)
    # A value's JSON is never shorter than its size by DynamoDB's rule, so most items need no measuring.
    if len(item.body) > limits.ITEM_BYTES and item_size(json.loads(item.body)) > limits.ITEM_BYTES:
        content = decode_map(_without_derived(json.loads(item.body)))
        item = _with_derived(key, encode_map(trim(content)).encode(), expires_at)
    return item


def _with_trace(item: EncodedItem, trace_header: Any) -> EncodedItem:
    document = json.loads(item.body)
    document["metadata"]["M"] |= json.loads(encode_map({TRACE_HEADER: trace_header}))
    if item_size(document) > limits.ITEM_BYTES:
        return item
    return item._replace(body=_dumped(document))


def _with_hold(item: EncodedItem, hold: Hold) -> EncodedItem:
    document = json.loads(item.body)
    value = fitting_hold(document, hold)
    document.pop(TTL, None)
    if value is not None:
        document[HOLD] = value
    return item._replace(body=_dumped(document), expires_at=None)


def _dumped(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _with_derived(recommendation_id: str, content: bytes, expires_at: int | None) -> EncodedItem:
    digest = _digest(content)
    ttl = "" if expires_at is None else f',"ttl":{{"N":"{expires_at}"}}'
    body = content[:-1] + f',"contentDigest":{{"S":"{digest}"}}{ttl}}}'.encode()
    return EncodedItem(recommendation_id, body, digest, expires_at)


def decode_item(item: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Return the plain JSON values of an item in DynamoDB JSON: whole numbers as int, other numbers as Decimal."""
    return decode_map(item)


def item_digest(item: Mapping[str, AttributeValue]) -> str:
    """Return the SHA-256 (hex) of an item's content, which equals its `contentDigest` unless it was changed."""
    return _digest(encode_map(decode_map(_without_derived(item))).encode())


def _without_derived(item: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    content = {name: item[name] for name in item.keys() - NOT_CONTENT}
    match content.get("metadata"):
        case {"M": dict(metadata)} if TRACE_HEADER in metadata:
            content["metadata"] = {"M": {name: metadata[name] for name in metadata.keys() - {TRACE_HEADER}}}
    return content


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
