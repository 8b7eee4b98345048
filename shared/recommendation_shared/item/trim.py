"""Trim an item to DynamoDB's 400 KB. Each cut is marked, and listed with the value's original length and digest."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final, NamedTuple

from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.attribute_value import encode_map
from recommendation_shared.item.size import item_size

TRUNCATED: Final = "truncated"  # in `metadata`, lists each cut value's path, original length (bytes) and sha256
CUT_JSON: Final = "cutJson"  # the only key of an object that replaces a whole value by its cut JSON text

_KEYS: Final = frozenset({"recommendationId", "incidentId", "executionId", "agentType", "timestamp"})
# Our own limits, in bytes.
_MIN_KEPT: Final = 256  # of a cut value
_ENTRY: Final = 400  # maximum size of an entry in the list: a path, a number, a digest and their names
_PATH: Final = 200  # maximum length of a path in an entry
_WORTH_CUTTING: Final = 1024  # cutting a shorter value may save less than its entry costs
_MAX_STRINGS: Final = 100  # count; strings cut one by one before whole attributes are


def trim(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields whose item has at most 400 KB: `reasoning` is cut first, then the largest strings.

    If that is not enough (too many small values), the largest attributes are replaced by their JSON text, cut.
    `fields` holds values as read from the table (`decode_map`), and is changed in place.
    """
    cuts: list[dict[str, Any]] = []
    excess = _excess(fields)
    strings = sorted(_strings(fields, ""), key=lambda string: (string.path != "/reasoning", -string.size))
    for container, key, path, size in strings[:_MAX_STRINGS]:
        if excess <= 0:
            break
        container[key], saved = _cut(container[key], size - excess, path, cuts)
        excess -= saved
    attributes = {name: len(canonical_text(fields[name]).encode()) for name in fields if name not in _KEYS}
    for name in sorted(attributes, key=lambda name: (-attributes[name], name)):
        excess = _excess(fields) + len(cuts) * _ENTRY
        if excess <= 0 or attributes[name] < _WORTH_CUTTING:
            break
        text, _ = _cut(canonical_text(fields[name]), _MIN_KEPT, f"/{name}", cuts)
        fields[name] = _stand_in(fields[name], text)
    listed = fields["metadata"].get(TRUNCATED, [])
    fields["metadata"][TRUNCATED] = [*(listed if isinstance(listed, list) else [listed]), *cuts]
    return fields


def _excess(fields: dict[str, Any]) -> int:
    # The size of one entry covers the list itself, the digest and the ttl, which are added later.
    return item_size(json.loads(encode_map(fields))) + _ENTRY - limits.ITEM_BYTES


class _String(NamedTuple):
    """A string worth cutting: `container[key]`, with its path and its size in bytes."""

    container: Any
    key: Any
    path: str
    size: int


def _strings(value: Any, path: str) -> Iterator[_String]:
    """Yield every string worth cutting."""
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        child_path = f"{path}/{key}"
        if isinstance(child, dict | list):
            yield from _strings(child, child_path)
        elif isinstance(child, str) and not (path == "" and key in _KEYS):
            size = len(child.encode())
            if size >= _WORTH_CUTTING:
                yield _String(value, key, child_path, size)


def _cut(text: str, target: int, path: str, cuts: list[dict[str, Any]]) -> tuple[str, int]:
    """Cut `text` to about `target` bytes and mark it. Return it and the bytes saved, less the size of its entry."""
    raw = text.encode()
    mark = f"… [cut: {len(raw)} bytes in all]"
    marked = raw[: max(_MIN_KEPT, target - _ENTRY - len(mark.encode()))].decode(errors="ignore") + mark
    listed_path = path.encode()[:_PATH].decode(errors="ignore")
    cuts.append({"path": listed_path, "bytes": len(raw), "sha256": sha256(raw).hexdigest()})
    return marked, len(raw) - len(marked.encode()) - _ENTRY


def _stand_in(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {CUT_JSON: text}
    return [{CUT_JSON: text}] if isinstance(value, list) else text
