"""The wire contract: one envelope is one recommendation, the JSON body of one SQS message."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic.alias_generators import to_camel

from shared import field_rules, limits
from shared.canonical import canonical_text
from shared.identity import recommendation_id
from shared.json_text import JsonError, dump_json, parse_json, sqs_safe
from shared.vocabulary import DERIVED_FIELDS, RAW_CONFIDENCE

INVALID_JSON: Final = "InvalidJson"
INVALID_ENVELOPE: Final = "InvalidEnvelope"
ID_MISMATCH: Final = "IdMismatch"
UNKNOWN_SCHEMA_VERSION: Final = "UnknownSchemaVersion"


class EnvelopeError(ValueError):
    """A message that is no valid envelope.

    `reason` is `InvalidJson`, `InvalidEnvelope`, `IdMismatch` or `UnknownSchemaVersion`. `detail` names fields and
    rules and never holds a value of the message, so it may be logged and sent on.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


Identifier = Annotated[str, PlainValidator(field_rules.identifier)]
# Checked, not copied: these hold most of an envelope's bytes.
JsonObject = Annotated[Mapping[str, Any], PlainValidator(field_rules.json_object)]
JsonObjects = Annotated[Sequence[Mapping[str, Any]], PlainValidator(field_rules.json_objects)]


class Envelope(BaseModel):
    """One recommendation in its normalised form; fields that this version does not know are kept as extras."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel)

    schema_version: Annotated[int, PlainValidator(field_rules.schema_version)]
    recommendation_id: Annotated[str, PlainValidator(field_rules.text)]
    incident_id: Identifier
    execution_id: Identifier
    agent_type: Annotated[str, PlainValidator(field_rules.agent_type)]
    timestamp: Annotated[str, PlainValidator(field_rules.timestamp)]
    recommendation: JsonObject
    confidence: Annotated[int | float | Decimal | None, PlainValidator(field_rules.confidence)] = None
    reasoning: Annotated[str, PlainValidator(field_rules.text)] = ""
    citations: JsonObjects = Field(default_factory=list)
    metadata: JsonObject = Field(default_factory=dict)
    retention: Annotated[int | None, PlainValidator(field_rules.retention)] = limits.RETENTION_DAYS

    @classmethod
    def create(cls, **fields: Any) -> "Envelope":
        """Make an envelope from the arguments of `write_envelope`; raise `EnvelopeError` when they are invalid."""
        return parse_envelope(write_envelope(**fields).body)

    def wire_fields(self) -> dict[str, Any]:
        """Return all fields, extras included, under their names on the wire and in the table."""
        return {
            **(self.model_extra or {}),
            **{wire: getattr(self, name) for name, wire in _WIRE_NAMES.items()},
        }

    def to_json(self) -> bytes:
        """Return the SQS message body: canonical JSON in UTF-8."""
        return sqs_safe(canonical_text(self.wire_fields()).encode())


_WIRE_NAMES: Final = {name: to_camel(name) for name in Envelope.model_fields}
# The model's own rules by wire name, to tell a caller of `write_envelope` of every field that breaks one.
_RULES: Final = {
    _WIRE_NAMES[name]: cast("Callable[[Any], Any]", rule.func)
    for name, field in Envelope.model_fields.items()
    for rule in field.metadata
    if isinstance(rule, PlainValidator)
}


class WireEnvelope(NamedTuple):
    """An envelope ready to be sent: `body` is UTF-8 JSON that SQS accepts."""

    recommendation_id: str
    body: bytes


def write_envelope(  # noqa: PLR0913 - one argument a field of the contract, all by name
    *,
    incident_id: str,
    execution_id: str,
    agent_type: str,
    timestamp: str | datetime,
    recommendation: Mapping[str, Any],
    confidence: float | Decimal | None = None,
    reasoning: str = "",
    citations: Sequence[Mapping[str, Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    retention: int | None = limits.RETENTION_DAYS,
) -> WireEnvelope:
    """Validate and serialise one recommendation: a snapshot that later changes to the arguments cannot reach.

    `timestamp` is the instant at which the agent completed; `retention` is in days, None keeps the item for ever.
    Raises `EnvelopeError` when a field breaks the contract or cannot be written as JSON.
    """
    wire = _set_odd_confidence_aside(
        {
            "schemaVersion": field_rules.SCHEMA_VERSION,
            "recommendationId": "",
            "incidentId": incident_id,
            "executionId": execution_id,
            "agentType": agent_type,
            "timestamp": timestamp,
            "recommendation": recommendation,
            # JSON has one kind of number, and a serialised Decimal would become text.
            "confidence": float(confidence) if isinstance(confidence, Decimal) else confidence,
            "reasoning": reasoning,
            "citations": () if citations is None else citations,
            "metadata": {} if metadata is None else metadata,
            "retention": retention,
        }
    )
    try:
        field_rules.identifier(incident_id)
        field_rules.identifier(execution_id)
        field_rules.agent_type(agent_type)
        wire["timestamp"] = field_rules.timestamp(timestamp)
        field_rules.json_object(recommendation)
        field_rules.confidence(wire["confidence"])
        field_rules.text(reasoning)
        field_rules.json_objects(wire["citations"])
        field_rules.json_object(wire["metadata"])
        field_rules.retention(retention)
    except ValueError:
        raise EnvelopeError(INVALID_ENVELOPE, _broken_rules({**wire, "timestamp": timestamp})) from None
    wire["recommendationId"] = recommendation_id(incident_id, agent_type, wire["timestamp"])
    try:
        return WireEnvelope(wire["recommendationId"], dump_json(wire))
    except JsonError as error:
        raise EnvelopeError(INVALID_ENVELOPE, f"envelope: {error}") from None


def _broken_rules(wire: Mapping[str, Any]) -> str:
    broken = []
    for name, rule in _RULES.items():
        try:
            rule(wire[name])
        except ValueError as error:
            broken.append(f"{name}: {error}")
    return "; ".join(broken)


def parse_envelope(body: str | bytes) -> Envelope:
    """Read a message body. Raises only `EnvelopeError`, whatever the body holds."""
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
    for name in DERIVED_FIELDS & wire.keys():
        del wire[name]
    envelope = _validated(_set_odd_confidence_aside(wire))
    _check_extra_fields(envelope.model_extra or {})
    expected = recommendation_id(envelope.incident_id, envelope.agent_type, envelope.timestamp)
    if envelope.recommendation_id != expected:
        raise EnvelopeError(
            ID_MISMATCH, "recommendationId: must be the ID that incidentId, agentType and timestamp give"
        )
    return envelope


def _validated(wire: dict[str, Any]) -> Envelope:
    try:
        return Envelope.model_validate(wire)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        detail = "; ".join(f"{one['loc'][0]}: {one['msg'].removeprefix('Value error, ')}" for one in found)
        raise EnvelopeError(INVALID_ENVELOPE, detail) from None


def _set_odd_confidence_aside(wire: dict[str, Any]) -> dict[str, Any]:
    """Move a confidence that is no number from 0 to 1 to the metadata, as text: an audit keeps what was said."""
    confidence, metadata = wire.get("confidence"), wire.get("metadata", {})
    if confidence is None or field_rules.is_probability(confidence) or not isinstance(metadata, Mapping):
        return wire
    try:
        plain = parse_json(dump_json(confidence))
    except JsonError:
        return wire  # and so refused as a confidence, with its rule
    raw = plain if isinstance(plain, str) else canonical_text(plain)
    return {**wire, "confidence": None, "metadata": {**metadata, RAW_CONFIDENCE: raw}}


def _check_extra_fields(extra: Mapping[str, Any]) -> None:
    if len(extra) > limits.EXTRA_FIELDS:
        raise EnvelopeError(
            INVALID_ENVELOPE, f"extra fields: must be at most {limits.EXTRA_FIELDS} beyond the contract's"
        )
    if not all(0 < len(name.encode()) <= limits.EXTRA_FIELD_NAME_BYTES for name in extra):
        raise EnvelopeError(
            INVALID_ENVELOPE,
            f"extra fields: a name must have 1 to {limits.EXTRA_FIELD_NAME_BYTES} bytes of UTF-8",
        )
