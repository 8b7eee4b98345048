"""A confidence that is no number from 0 to 1 is kept as text: an audit keeps what the agent said."""

from collections.abc import Mapping
from typing import Any

from recommendation_shared.envelope.vocabulary import RAW_CONFIDENCE
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import dump_json
from recommendation_shared.exact_json.parse import JsonError, parse_json


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
