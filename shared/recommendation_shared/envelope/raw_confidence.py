"""Keep a confidence that is not a number from 0 to 1 as text, because an audit trail keeps what the agent said."""

from collections.abc import Mapping
from typing import Any

from recommendation_shared.envelope.fields import RAW_CONFIDENCE
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import dump_json
from recommendation_shared.exact_json.parse import parse_json


def set_aside(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with `confidence` moved to `metadata.rawConfidence` as text.

    Fields whose metadata is not a mapping are returned unchanged, and fail validation later.
    """
    metadata = fields.get("metadata", {})
    if not isinstance(metadata, Mapping):
        return fields
    plain = parse_json(dump_json(fields["confidence"]))
    raw = plain if isinstance(plain, str) else canonical_text(plain)
    return {**fields, "confidence": None, "metadata": {**metadata, RAW_CONFIDENCE: raw}}
