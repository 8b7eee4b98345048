"""The pydantic model and its published JSON Schema."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.fields import FIELDS, python_name
from recommendation_shared.envelope.model import json_schema
from recommendation_shared.envelope.writing import EnvelopeArguments, write_envelope
from tests.support.envelopes import ARGUMENTS, message_fields
from tests.support.strategies import envelope_fields

PUBLISHED: Final = Path(__file__).parents[4] / "docs" / "envelope.schema.json"
VALIDATOR: Final = Draft202012Validator(json_schema())


def test_published_schema_is_up_to_date() -> None:
    """To update it: `python -m recommendation_shared.envelope.model > docs/envelope.schema.json`."""
    assert json.loads(PUBLISHED.read_text()) == json_schema()
    Draft202012Validator.check_schema(json_schema())


def test_model_has_every_field_of_the_contract() -> None:
    """The model repeats the names in `FIELDS`, because types cannot be derived from a list."""
    names = [python_name(name) for name in FIELDS]
    assert list(Envelope.model_fields) == names
    derived = {"schema_version", "recommendation_id"}
    assert set(EnvelopeArguments.__annotations__) == set(names) - derived
    assert EnvelopeArguments.__optional_keys__ == {python_name(name) for name in FIELDS if FIELDS[name].default}


def test_model_writes_json_that_sqs_accepts() -> None:
    """It escapes U+FFFE and U+FFFF, as the producer does."""
    envelope = Envelope.create(**{**ARGUMENTS, "reasoning": "\ufffe\uffff"})
    assert b"\\ufffe\\uffff" in envelope.to_json()


@given(envelope_fields)
def test_producers_messages_conform_to_the_schema(fields: dict[str, Any]) -> None:
    """So a sender in another language can rely on the schema."""
    VALIDATOR.validate(json.loads(write_envelope(**fields).body))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schemaVersion", 2),
        ("incidentId", ""),
        ("incidentId", "a\nb"),
        ("executionId", "x" * 1025),
        ("agentType", "Signal_Intelligence"),
        ("timestamp", "yesterday"),
        ("recommendation", []),
        ("confidence", 1.5),
        ("reasoning", None),
        ("citations", ["text"]),
        ("metadata", None),
        ("retention", 0),
    ],
)
def test_schema_rejects_an_invalid_field(field: str, value: Any) -> None:
    """A schema that accepted anything would pass every other test here."""
    assert VALIDATOR.is_valid(message_fields())
    assert not VALIDATOR.is_valid(message_fields(**{field: value}))


@pytest.mark.parametrize("field", ["recommendationId", "incidentId", "executionId", "agentType", "timestamp"])
def test_schema_requires_fields_without_a_default(field: str) -> None:
    """The other fields may be omitted."""
    fields = message_fields()
    del fields[field]
    assert not VALIDATOR.is_valid(fields)


def test_pydantics_json_methods_keep_the_contract() -> None:
    """Its own parser would round the number and skip the check of the ID; its own serialiser would write text."""
    body = json.dumps(message_fields()).replace('"confidence": null', '"confidence": 0.1234567890123456789012')
    envelope = Envelope.model_validate_json(body)
    assert envelope.confidence == Decimal("0.1234567890123456789012")
    assert Envelope.model_validate_json(envelope.model_dump_json()) == envelope
    assert '"confidence":0.1234567890123456789012' in envelope.model_dump_json()
    with pytest.raises(EnvelopeError, match="IdMismatch"):
        Envelope.model_validate_json(json.dumps(message_fields(recommendationId="rec-other")))
