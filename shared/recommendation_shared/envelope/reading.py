"""Read a message body: validate and normalise an envelope's fields."""

from decimal import Decimal
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.envelope import field_rules
from recommendation_shared.envelope.errors import (
    ID_MISMATCH,
    INVALID_ENVELOPE,
    INVALID_JSON,
    UNKNOWN_SCHEMA_VERSION,
    EnvelopeError,
)
from recommendation_shared.envelope.fields import DEFAULTS, NOT_CONTENT, REVIEWS, RULES, broken_rules
from recommendation_shared.envelope.identity import recommendation_id
from recommendation_shared.exact_json.parse import JsonError, parse_json

_IGNORED: Final = NOT_CONTENT | {REVIEWS}


def read_envelope(body: str | bytes) -> dict[str, Any]:
    """Return the fields of a message body, including unknown ones. Raises only `EnvelopeError`, whatever the body."""
    try:
        fields = parse_json(body)
    except JsonError as error:
        raise EnvelopeError(INVALID_JSON, f"body: {error}") from None
    if not isinstance(fields, dict):
        raise EnvelopeError(INVALID_ENVELOPE, "body: must be an object")
    version = fields.get("schemaVersion")
    if isinstance(version, int | Decimal) and version > field_rules.SCHEMA_VERSION:
        raise EnvelopeError(
            UNKNOWN_SCHEMA_VERSION, f"schemaVersion: only versions up to {field_rules.SCHEMA_VERSION} are supported"
        )
    for name in _IGNORED:
        fields.pop(name, None)
    confidence = fields.get("confidence")
    if confidence is not None and not field_rules.is_probability(confidence):
        from recommendation_shared.envelope.raw_confidence import set_aside  # noqa: PLC0415 - an ordinary envelope does not need it

        fields = set_aside(fields)
    for name, default in DEFAULTS.items():
        if name not in fields:
            fields[name] = default()
    return _validated(fields)


def _validated(fields: dict[str, Any]) -> dict[str, Any]:
    try:
        for name, rule in RULES.items():
            fields[name] = rule(fields[name])
    except (KeyError, ValueError):
        raise EnvelopeError(INVALID_ENVELOPE, broken_rules(fields)) from None
    if len(fields) > len(RULES):
        _check_unknown_fields(fields.keys() - RULES.keys())
    if fields["recommendationId"] != recommendation_id(fields["incidentId"], fields["agentType"], fields["timestamp"]):
        raise EnvelopeError(
            ID_MISMATCH, "recommendationId: must be the ID derived from incidentId, agentType and timestamp"
        )
    return fields


def _check_unknown_fields(names: set[str]) -> None:
    if len(names) > limits.EXTRA_FIELDS:
        raise EnvelopeError(
            INVALID_ENVELOPE, f"extra fields: must be at most {limits.EXTRA_FIELDS} besides the contract's"
        )
    if not all(0 < len(name.encode()) <= limits.EXTRA_FIELD_NAME_BYTES for name in names):
        raise EnvelopeError(
            INVALID_ENVELOPE,
            f"extra fields: a name must be 1 to {limits.EXTRA_FIELD_NAME_BYTES} bytes of UTF-8",
        )
