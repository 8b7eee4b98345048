"""Trimming of an item over DynamoDB's 400 KB: what is cut is marked, and listed with its length and digest."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.attribute_value import encode_map
from recommendation_shared.item.size import item_size

TRUNCATED: Final = "truncated"  # a list in `metadata`: path, bytes (original length) and sha256 of each cut value
CUT_JSON: Final = "cutJson"  # the only key of an object that stands for a whole value, as its cut JSON text

_KEYS: Final = frozenset({"recommendationId", "incidentId", "executionId", "agentType", "timestamp"})
_KEPT: Final = 256  # bytes of a cut value that stay, at least
_ENTRY: Final = 400  # bytes that one entry of the list costs, at most: a path, a number, a digest and their names
_PATH: Final = 200  # bytes of its path
_WORTH_CUTTING: Final = 1024  # bytes; a shorter value saves less than its entry costs
_MOST_STRINGS: Final = 100  # that are cut one by one before whole attributes are


def trim(fields: dict[str, Any]) -> dict[str, Any]:
    """Return wire fields whose item has at most 400 KB: `reasoning` is cut first, then the largest strings.

    When that is not enough (too many small values), the largest attributes become their JSON text, cut. `fields`
    holds values as the table has them (`decode_map`) and is changed in place.
    """
    cuts: list[dict[str, Any]] = []
    excess = _excess(fields)
    strings = sorted(_strings(fields, ""), key=lambda found: (found[2] != "/reasoning", -found[3]))
    for container, key, path, size in strings[:_MOST_STRINGS]:
        if excess <= 0:
            break
        container[key], saved = _cut(container[key], size - excess, path, cuts)
        excess -= saved
    attributes = {name: len(canonical_text(fields[name]).encode()) for name in fields if name not in _KEYS}
    for name in sorted(attributes, key=lambda name: (-attributes[name], name)):
        excess = _excess(fields) + len(cuts) * _ENTRY
        if excess <= 0 or attributes[name] < _WORTH_CUTTING:
            break
        text, _ = _cut(canonical_text(fields[name]), _KEPT, f"/{name}", cuts)
        fields[name] = _stand_in(fields[name], text)
    listed = fields["metadata"].get(TRUNCATED, [])
    fields["metadata"][TRUNCATED] = [*(listed if isinstance(listed, list) else [listed]), *cuts]
    return fields


def _excess(fields: dict[str, Any]) -> int:
    # One entry of room covers the list itself, the digest and the ttl, which are added afterwards.
    return item_size(json.loads(encode_map(fields))) + _ENTRY - limits.ITEM_BYTES


def _strings(value: Any, path: str) -> Iterator[tuple[Any, Any, str, int]]:
    """Find every string worth cutting: its container, its key there, its path and its size in bytes."""
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        here = f"{path}/{key}"
        if isinstance(child, dict | list):
            yield from _strings(child, here)
        elif isinstance(child, str) and not (path == "" and key in _KEYS):
            size = len(child.encode())
            if size >= _WORTH_CUTTING:
                yield value, key, here, size


def _cut(text: str, target: int, path: str, cuts: list[dict[str, Any]]) -> tuple[str, int]:
    """Cut `text` to about `target` bytes; return it with its mark, and the bytes saved after its entry is paid."""
    raw = text.encode()
    mark = f"… [cut: {len(raw)} bytes in all]"
    kept = raw[: max(_KEPT, target - _ENTRY - len(mark.encode()))].decode(errors="ignore") + mark
    listed_path = path.encode()[:_PATH].decode(errors="ignore")
    cuts.append({"path": listed_path, "bytes": len(raw), "sha256": sha256(raw).hexdigest()})
    return kept, len(raw) - len(kept.encode()) - _ENTRY


def _stand_in(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {CUT_JSON: text}
    return [{CUT_JSON: text}] if isinstance(value, list) else text
