"""An envelope as it is on the wire: its fields by their names there, validated and normalised."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.envelope import field_rules
from recommendation_shared.envelope.identity import recommendation_id
from recommendation_shared.envelope.vocabulary import DERIVED_FIELDS
from recommendation_shared.exact_json.parse import JsonError, parse_json

INVALID_JSON: Final = "InvalidJson"
INVALID_ENVELOPE: Final = "InvalidEnvelope"
ID_MISMATCH: Final = "IdMismatch"
UNKNOWN_SCHEMA_VERSION: Final = "UnknownSchemaVersion"

RULES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "schemaVersion": field_rules.schema_version,
    "recommendationId": field_rules.text,
    "incidentId": field_rules.identifier,
    "executionId": field_rules.identifier,
    "agentType": field_rules.agent_type,
    "timestamp": field_rules.timestamp,
    "recommendation": field_rules.json_object,
    "confidence": field_rules.confidence,
    "reasoning": field_rules.text,
    "citations": field_rules.json_objects,
    "metadata": field_rules.json_object,
    "retention": field_rules.retention,
}


class EnvelopeError(ValueError):
    """A message that is no valid envelope.

    `reason` is `InvalidJson`, `InvalidEnvelope`, `IdMismatch` or `UnknownSchemaVersion`. `detail` names fields and
    rules and never holds a value of the message, so it may be logged and sent on.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read_wire(body: str | bytes) -> dict[str, Any]:
    """Return the fields of a message body, extras included. Raises only `EnvelopeError`, whatever the body holds."""
    try:
        wire = parse_json(body)
    except JsonError as error:
        raise EnvelopeError(INVALID_JSON, f"body: {error}") from None
    if not isinstance(wire, dict):
        raise EnvelopeError(INVALID_ENVELOPE, "body: must be an object")
    version = wire.get("schemaVersion")
    if isinstance(version, int | Decimal) and version > field_rules.SCHEMA_VERSION:
        raise EnvelopeError(
            UNKNOWN_SCHEMA_VERSION, f"schemaVersion: this version knows up to {field_rules.SCHEMA_VERSION}"
        )
    for name in DERIVED_FIELDS:
        wire.pop(name, None)
    confidence = wire.get("confidence")
    if confidence is not None and not field_rules.is_probability(confidence):
        # Pydantic, which no usual envelope needs.
        from recommendation_shared.envelope.raw_confidence import set_aside  # noqa: PLC0415

        wire = set_aside(wire)
    return _validated(
        {"confidence": None, "reasoning": "", "citations": [], "metadata": {}, "retention": limits.RETENTION_DAYS}
        | wire
    )


def _validated(wire: dict[str, Any]) -> dict[str, Any]:
    try:
        for name, rule in RULES.items():
            wire[name] = rule(wire[name])
    except (KeyError, ValueError):
        raise EnvelopeError(INVALID_ENVELOPE, broken_rules(wire)) from None
    if len(wire) > len(RULES):
        _check_extra_fields(wire.keys() - RULES.keys())
    if wire["recommendationId"] != recommendation_id(wire["incidentId"], wire["agentType"], wire["timestamp"]):
        raise EnvelopeError(
            ID_MISMATCH, "recommendationId: must be the ID that incidentId, agentType and timestamp give"
        )
    return wire


def broken_rules(wire: Mapping[str, Any]) -> str:
    """Return every field that breaks its rule, with the rule."""
    broken = []
    for name, rule in RULES.items():
        try:
            rule(wire[name])
        except KeyError:
            broken.append(f"{name}: Field required")
        except ValueError as error:
            broken.append(f"{name}: {error}")
    return "; ".join(broken)


def _check_extra_fields(names: set[str]) -> None:
    if len(names) > limits.EXTRA_FIELDS:
        raise EnvelopeError(
            INVALID_ENVELOPE, f"extra fields: must be at most {limits.EXTRA_FIELDS} beyond the contract's"
        )
    if not all(0 < len(name.encode()) <= limits.EXTRA_FIELD_NAME_BYTES for name in names):
        raise EnvelopeError(
            INVALID_ENVELOPE,
            f"extra fields: a name must have 1 to {limits.EXTRA_FIELD_NAME_BYTES} bytes of UTF-8",
        )
