"""A confidence that is no number from 0 to 1 is kept as text: an audit keeps what the agent said."""

from collections.abc import Mapping
from typing import Any

from shared.canonical import canonical_text
from shared.json_dump import dump_json
from shared.json_text import JsonError, parse_json
from shared.vocabulary import RAW_CONFIDENCE


def set_aside(wire: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with their confidence moved to the metadata, as text."""
    metadata = wire.get("metadata", {})
    if not isinstance(metadata, Mapping):
        return wire
    try:
        plain = parse_json(dump_json(wire["confidence"]))
    except JsonError:
        return wire  # and so refused as a confidence, with its rule
    raw = plain if isinstance(plain, str) else canonical_text(plain)
    return {**wire, "confidence": None, "metadata": {**metadata, RAW_CONFIDENCE: raw}}
