"""The published JSON Schema of the contract."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.fields import FIELDS, python_name
from recommendation_shared.envelope.model import json_schema
from recommendation_shared.envelope.writing import EnvelopeArguments, write_envelope
from tests.support.strategies import envelope_fields

PAGE = Path(__file__).parents[3] / "docs" / "envelope.schema.json"
VALIDATOR = Draft202012Validator(json_schema())
VALID: dict[str, Any] = json.loads(
    write_envelope(
        incident_id="incident-123",
        execution_id="execution-1",
        agent_type="consensus",
        timestamp="2026-01-31T12:00:00Z",
        recommendation={},
    ).body
)


def test_published_schema_is_the_models() -> None:
    """`python -m recommendation_shared.envelope.model > docs/envelope.schema.json` brings it up to date."""
    assert json.loads(PAGE.read_text()) == json_schema()
    Draft202012Validator.check_schema(json_schema())


def test_the_model_has_every_field_of_the_contract() -> None:
    """The one list is `FIELDS`; types cannot be derived from it."""
    names = [python_name(name) for name in FIELDS]
    assert list(Envelope.model_fields) == names
    own = {"schema_version", "recommendation_id"}
    assert set(EnvelopeArguments.__annotations__) == set(names) - own
    assert EnvelopeArguments.__optional_keys__ == {python_name(name) for name in FIELDS if FIELDS[name].default}


@given(envelope_fields)
def test_whatever_the_producer_writes_fits_the_schema(fields: dict[str, Any]) -> None:
    """So that a sender in another language can rely on it."""
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
def test_the_schema_refuses_what_breaks_a_rule(field: str, value: Any) -> None:
    """A schema that accepts anything would pass every other test here."""
    assert VALIDATOR.is_valid(VALID)
    assert not VALIDATOR.is_valid({**VALID, field: value})


@pytest.mark.parametrize("field", ["recommendationId", "incidentId", "executionId", "agentType", "timestamp"])
def test_the_schema_requires_what_has_no_default(field: str) -> None:
    """All others may be left out."""
    assert not VALIDATOR.is_valid({name: value for name, value in VALID.items() if name != field})
