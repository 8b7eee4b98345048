"""Attribute values of types that this project never writes."""

from typing import Any

import pytest

from recommendation_shared.item.attribute_value import decode_map


def test_foreign_types_can_be_read() -> None:
    """A foreign item in the table is shown rather than crashing the reader."""
    foreign: dict[str, dict[str, Any]] = {
        "b": {"B": b"\xff"},
        "ss": {"SS": ["b", "a"]},
        "ns": {"NS": ["2", "1"]},
        "bs": {"BS": [b"a"]},
    }
    assert decode_map(foreign) == {"b": "/w==", "ss": ["a", "b"], "ns": [1, 2], "bs": ["YQ=="]}


def test_unknown_type_is_named_in_the_error() -> None:
    """DynamoDB has no type X."""
    with pytest.raises(ValueError, match="unknown DynamoDB type 'X'"):
        decode_map({"x": {"X": 1}})
