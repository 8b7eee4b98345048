"""The wire contract: one envelope is one recommendation, the JSON body of one SQS message."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic.alias_generators import to_camel

from shared import limits
from shared.identity import parse_instant, recommendation_id, sort_key
from shared.json_text import JsonError, canonical_text, dump_json, parse_json, sqs_safe
from shared.numbers import number_text

SCHEMA_VERSION: Final = 1
KNOWN_AGENT_TYPES: Final = (
    "signal-intelligence",
    "historical-pattern",
    "change-intelligence",
    "risk-blast-radius",
    "knowledge-rag",
    "response-strategy",
    "consensus",
)
RAW_CONFIDENCE: Final = "rawConfidence"
# Recomputed from the other fields wherever an item is made; what a message says under these names is ignored.
DERIVED_FIELDS: Final = frozenset({"ttl", "contentDigest"})

INVALID_JSON: Final = "InvalidJson"
INVALID_ENVELOPE: Final = "InvalidEnvelope"
ID_MISMATCH: Final = "IdMismatch"
UNKNOWN_SCHEMA_VERSION: Final = "UnknownSchemaVersion"

_KEBAB_CASE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAPPING: Final = (dict, Mapping)  # a dict is one at once; asking Mapping takes three times as long
_NO_OBJECTS: Final = "must be a list of objects"
_SMALLEST: Final = float(f"1E{limits.NUMBER_MIN_EXPONENT}")  # above zero
_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class EnvelopeError(ValueError):
    """A message that is no valid envelope.

    `reason` is `InvalidJson`, `InvalidEnvelope`, `IdMismatch` or `UnknownSchemaVersion`. `detail` names fields and
    rules and never holds a value of the message, so it may be logged and sent on.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def _utf8(value: str, most: int) -> str:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without lone surrogates") from None
    if not 0 < size <= most:
        raise ValueError(f"must have 1 to {most} bytes of UTF-8")
    return value


def _schema_version(value: object) -> int:
    if type(value) is not int or value != SCHEMA_VERSION:  # neither true nor 1.0, which equal 1
        raise ValueError(f"must be {SCHEMA_VERSION}")
    return value


def _identifier(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic collects ValueError, not TypeError
    if not value.isprintable() and _CONTROL_CHARACTER.search(value):  # the first is faster, and refuses more
        raise ValueError("must have no control characters")
    return _utf8(value, limits.ID_BYTES)


def _agent_type(value: object) -> str:
    if not isinstance(value, str) or _KEBAB_CASE.fullmatch(value) is None:
        raise ValueError("must be kebab-case: a-z, 0-9 and single hyphens")
    return _utf8(value, limits.AGENT_TYPE_BYTES)


def _timestamp(value: object) -> str:
    if not isinstance(value, (str, datetime)):
        raise ValueError("must be an RFC 3339 time")  # noqa: TRY004 - as above
    return sort_key(parse_instant(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - as above
    return value


def _retention(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= limits.MAX_RETENTION_DAYS:  # True is no number of days
        raise ValueError(f"must be a whole number of days from 1 to {limits.MAX_RETENTION_DAYS}, or null")
    return value


def _confidence(value: Any) -> Any:
    if value is not None and not _is_probability(value):
        raise ValueError("must be a number from 0 to 1, or null")
    return value


def _is_probability(value: Any) -> bool:
    """Tell whether `value` is a number from 0 to 1 that DynamoDB can hold (which NaN and 1e-200 are not)."""
    if type(value) is float:  # the usual case, without making its text
        return value == 0 or _SMALLEST <= value <= 1
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return number_text(value) is not None and 0 <= value <= 1


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, _MAPPING):
        raise ValueError("must be an object")  # noqa: TRY004 - as above
    return value


def _objects(value: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(_NO_OBJECTS)  # noqa: TRY004 - as above
    for child in value:
        if not isinstance(child, _MAPPING):
            raise ValueError(_NO_OBJECTS)  # noqa: TRY004 - as above
    return value


Identifier = Annotated[str, PlainValidator(_identifier)]
# Checked, not copied: these hold most of an envelope's bytes.
JsonObject = Annotated[Mapping[str, Any], PlainValidator(_object)]
JsonObjects = Annotated[Sequence[Mapping[str, Any]], PlainValidator(_objects)]


class Envelope(BaseModel):
    """One recommendation in its normalised form; fields that this version does not know are kept as extras."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel)

    schema_version: Annotated[int, PlainValidator(_schema_version)]
    recommendation_id: Annotated[str, PlainValidator(_text)]
    incident_id: Identifier
    execution_id: Identifier
    agent_type: Annotated[str, PlainValidator(_agent_type)]
    timestamp: Annotated[str, PlainValidator(_timestamp)]
    recommendation: JsonObject
    confidence: Annotated[int | float | Decimal | None, PlainValidator(_confidence)] = None
    reasoning: Annotated[str, PlainValidator(_text)] = ""
    citations: JsonObjects = Field(default_factory=list)
    metadata: JsonObject = Field(default_factory=dict)
    retention: Annotated[int | None, PlainValidator(_retention)] = limits.RETENTION_DAYS

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
            "schemaVersion": SCHEMA_VERSION,
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
        _identifier(incident_id)
        _identifier(execution_id)
        _agent_type(agent_type)
        wire["timestamp"] = _timestamp(timestamp)
        _object(recommendation)
        _confidence(wire["confidence"])
        _text(reasoning)
        _objects(wire["citations"])
        _object(wire["metadata"])
        _retention(retention)
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
    if isinstance(version, int | Decimal) and version > SCHEMA_VERSION:
        raise EnvelopeError(UNKNOWN_SCHEMA_VERSION, f"schemaVersion: this version knows up to {SCHEMA_VERSION}")
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
    if confidence is None or _is_probability(confidence) or not isinstance(metadata, Mapping):
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
