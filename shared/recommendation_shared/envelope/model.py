"""The wire contract: one envelope is one recommendation, the JSON body of one SQS message."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic.alias_generators import to_camel

from recommendation_shared import limits
from recommendation_shared.envelope import field_rules
from recommendation_shared.envelope.identity import recommendation_id
from recommendation_shared.envelope.raw_confidence import set_aside
from recommendation_shared.envelope.reading import (
    ID_MISMATCH,
    INVALID_ENVELOPE,
    INVALID_JSON,
    RULES,
    UNKNOWN_SCHEMA_VERSION,
    EnvelopeError,
    broken_rules,
    read_wire,
)
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import dump_json, sqs_safe
from recommendation_shared.exact_json.parse import JsonError

__all__ = [
    "ID_MISMATCH",
    "INVALID_ENVELOPE",
    "INVALID_JSON",
    "UNKNOWN_SCHEMA_VERSION",
    "Envelope",
    "EnvelopeError",
    "WireEnvelope",
    "parse_envelope",
    "write_envelope",
]

# Checked, not copied: these hold most of an envelope's bytes.
JsonObject = Annotated[Mapping[str, Any], PlainValidator(RULES["recommendation"])]
JsonObjects = Annotated[Sequence[Mapping[str, Any]], PlainValidator(RULES["citations"])]


class Envelope(BaseModel):
    """One recommendation in its normalised form; fields that this version does not know are kept as extras."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel)

    schema_version: Annotated[int, PlainValidator(RULES["schemaVersion"])]
    recommendation_id: Annotated[str, PlainValidator(RULES["recommendationId"])]
    incident_id: Annotated[str, PlainValidator(RULES["incidentId"])]
    execution_id: Annotated[str, PlainValidator(RULES["executionId"])]
    agent_type: Annotated[str, PlainValidator(RULES["agentType"])]
    timestamp: Annotated[str, PlainValidator(RULES["timestamp"])]
    recommendation: JsonObject
    confidence: Annotated[int | float | Decimal | None, PlainValidator(RULES["confidence"])] = None
    reasoning: Annotated[str, PlainValidator(RULES["reasoning"])] = ""
    citations: JsonObjects = Field(default_factory=list)
    metadata: JsonObject = Field(default_factory=dict)
    retention: Annotated[int | None, PlainValidator(RULES["retention"])] = limits.RETENTION_DAYS

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


def parse_envelope(body: str | bytes) -> Envelope:
    """Read a message body. Raises only `EnvelopeError`, whatever the body holds."""
    return Envelope.model_validate(read_wire(body))


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
    wire: dict[str, Any] = {
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
    if confidence is not None and not field_rules.is_probability(wire["confidence"]):
        wire = set_aside(wire)
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
        raise EnvelopeError(INVALID_ENVELOPE, broken_rules({**wire, "timestamp": timestamp})) from None
    wire["recommendationId"] = recommendation_id(incident_id, agent_type, wire["timestamp"])
    try:
        return WireEnvelope(wire["recommendationId"], dump_json(wire))
    except JsonError as error:
        raise EnvelopeError(INVALID_ENVELOPE, f"envelope: {error}") from None
