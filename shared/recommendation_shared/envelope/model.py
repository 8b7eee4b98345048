"""The envelope as a pydantic model, the published and typed form of the contract.

It serves hosts, tools and tests that prefer types. The producer and the consumer never load it: they work on plain
dictionaries (`write_envelope`, `read_envelope`).
`python -m recommendation_shared.envelope.model > docs/envelope.schema.json` writes its JSON Schema.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Self, Unpack

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel

from recommendation_shared import limits
from recommendation_shared.envelope.field_rules import KEBAB_CASE, SCHEMA_VERSION
from recommendation_shared.envelope.fields import FIELDS, RAW_CONFIDENCE, RULES, python_name
from recommendation_shared.envelope.identity import RFC3339
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.envelope.writing import EnvelopeArguments, write_envelope
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import sqs_safe

_IDENTIFIER: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": limits.ID_BYTES,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
    "description": f"1 to {limits.ID_BYTES} bytes of UTF-8 without control characters",
}
_OBJECT: Final = {"type": "object"}


class Envelope(BaseModel):
    """One recommendation: the JSON body of one SQS message. Unknown fields are kept and stored."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel)

    schema_version: Annotated[int, PlainValidator(RULES["schemaVersion"]), WithJsonSchema({"const": SCHEMA_VERSION})]
    recommendation_id: Annotated[
        str,
        PlainValidator(RULES["recommendationId"]),
        WithJsonSchema({"type": "string", "description": "rec-{incidentId}-{agentType}-{timestamp, shortest form}"}),
    ]
    incident_id: Annotated[str, PlainValidator(RULES["incidentId"]), WithJsonSchema(_IDENTIFIER)]
    execution_id: Annotated[str, PlainValidator(RULES["executionId"]), WithJsonSchema(_IDENTIFIER)]
    agent_type: Annotated[
        str,
        PlainValidator(RULES["agentType"]),
        WithJsonSchema(
            {
                "type": "string",
                "maxLength": limits.AGENT_TYPE_BYTES,
                "pattern": f"^{KEBAB_CASE.pattern}$",
                "examples": list(KNOWN_AGENT_TYPES),
            }
        ),
    ]
    timestamp: Annotated[
        str,
        PlainValidator(RULES["timestamp"]),
        WithJsonSchema(
            {
                "type": "string",
                "pattern": f"^{RFC3339.pattern}$",
                "description": "when the agent completed; RFC 3339, read as UTC where it has no offset",
                "examples": ["2026-01-31T12:00:00.000000Z"],
            }
        ),
    ]
    recommendation: Annotated[
        Mapping[str, Any],
        PlainValidator(RULES["recommendation"]),
        WithJsonSchema({**_OBJECT, "description": "the agent's structured output"}),
    ]
    confidence: Annotated[
        int | float | Decimal | None,
        PlainValidator(RULES["confidence"]),
        WithJsonSchema(
            {
                "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}],
                "description": f"any other value is accepted, and kept as text in metadata.{RAW_CONFIDENCE}",
            }
        ),
    ] = None
    reasoning: Annotated[str, PlainValidator(RULES["reasoning"]), WithJsonSchema({"type": "string"})] = ""
    citations: Annotated[
        Sequence[Mapping[str, Any]],
        PlainValidator(RULES["citations"]),
        WithJsonSchema({"type": "array", "items": _OBJECT}),
    ] = Field(default_factory=list)
    metadata: Annotated[Mapping[str, Any], PlainValidator(RULES["metadata"]), WithJsonSchema(_OBJECT)] = Field(
        default_factory=dict
    )
    retention: Annotated[
        int | None,
        PlainValidator(RULES["retention"]),
        WithJsonSchema(
            {
                "anyOf": [{"type": "integer", "minimum": 1, "maximum": limits.MAX_RETENTION_DAYS}, {"type": "null"}],
                "description": "days; null keeps the item indefinitely",
            }
        ),
    ] = limits.RETENTION_DAYS

    @classmethod
    def create(cls, **arguments: Unpack[EnvelopeArguments]) -> Self:
        """Return an envelope with these arguments. Raises `EnvelopeError` if they break the contract."""
        return cls.from_json(write_envelope(**arguments).body)

    @classmethod
    def from_json(cls, body: str | bytes) -> Self:
        """Read a message body. Raises only `EnvelopeError`, whatever the body holds."""
        return cls.model_validate(read_envelope(body))

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_options: Any) -> Self:
        """Read a message body as `from_json` does; pydantic's own parser would round numbers and not check the ID."""
        return cls.from_json(bytes(json_data) if isinstance(json_data, bytearray) else json_data)

    def model_dump_json(self, **_options: Any) -> str:
        """Return the message body as text, as `to_json` does: pydantic would write an exact number as text."""
        return self.to_json().decode()

    def to_fields(self) -> dict[str, Any]:
        """Return all fields, including unknown ones, by their names in the message and in the table."""
        return {**(self.model_extra or {}), **{name: getattr(self, python_name(name)) for name in FIELDS}}

    def to_json(self) -> bytes:
        """Return the message body: canonical UTF-8 JSON that SQS accepts."""
        return sqs_safe(canonical_text(self.to_fields()).encode())


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the contract, which is published in docs/envelope.schema.json."""
    schema = Envelope.model_json_schema()
    for field in schema["properties"].values():
        field.pop("title")  # pydantic derives it from the name
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
