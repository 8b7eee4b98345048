"""Reading a message body: defaults, the rule of each field, and the errors."""

import json

import pytest

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.reading import read_envelope
from tests.support.envelopes import ARGUMENTS, message, message_fields


def _error(body: str | bytes) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as raised:
        read_envelope(body)
    return raised.value


def test_absent_optional_fields_get_their_defaults() -> None:
    """A message sent by hand may omit them."""
    fields = message_fields()
    for name in ("confidence", "reasoning", "citations", "metadata", "retention"):
        del fields[name]
    envelope = Envelope.from_json(json.dumps(fields))
    assert envelope == Envelope.create(**ARGUMENTS)
    assert (envelope.confidence, envelope.reasoning, envelope.retention) == (None, "", 90)
    assert (list(envelope.citations), dict(envelope.metadata)) == ([], {})


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("incidentId", "", "must be 1 to 1024 bytes of UTF-8"),
        ("incidentId", "é" * 513, "must be 1 to 1024 bytes of UTF-8"),
        ("incidentId", "a\nb", "must not contain control characters"),
        ("executionId", "a\x85b", "must not contain control characters"),
        ("executionId", 7, "must be text"),
        ("agentType", "Signal_Intelligence", "must be kebab-case"),
        ("agentType", "a" * 129, "must be 1 to 128 bytes of UTF-8"),
        ("agentType", "", "must be kebab-case"),
        ("timestamp", 1769860800, "must be an RFC 3339 time"),
        ("timestamp", "yesterday", "must be an RFC 3339 time"),
        ("recommendation", "roll back", "must be an object"),
        ("recommendation", None, "must be an object"),
        ("reasoning", None, "must be text"),
        ("citations", {}, "must be a list of objects"),
        ("citations", ["RFC 3339"], "must be a list of objects"),
        ("metadata", [], "must be an object"),
        ("retention", 0, "must be a whole number of days from 1 to 36500"),
        ("retention", 36_501, "must be a whole number of days from 1 to 36500"),
        ("retention", "90", "must be a whole number of days"),
        ("retention", True, "must be a whole number of days"),
        ("recommendationId", 7, "must be text"),
        ("schemaVersion", True, "must be 1"),
        ("schemaVersion", 0, "must be 1"),
    ],
)
def test_error_names_the_field_and_its_rule(field: str, value: object, rule: str) -> None:
    """A message with an invalid field is poison."""
    error = _error(message(**{field: value}))
    assert error.reason == "InvalidEnvelope"
    assert error.detail.startswith(f"{field}: ")
    assert rule in error.detail


def test_error_names_all_invalid_fields() -> None:
    """Whoever fixes the sender sees every problem at once."""
    assert _error(message(incidentId="", citations=7)).detail.count(";") == 1


def test_id_not_derived_from_the_fields_is_a_mismatch() -> None:
    """An ID with a fixed-width instant is a mismatch, too."""
    assert _error(message(recommendationId="rec-1")).reason == "IdMismatch"
    fixed_width = "rec-incident-123-signal-intelligence-2026-01-31T12:00:00.000000Z"
    assert _error(message(recommendationId=fixed_width)).reason == "IdMismatch"
    assert _error(message(incidentId="incident-124")).reason == "IdMismatch"


@pytest.mark.parametrize("version", [2, 10**30])
def test_newer_schema_version_has_its_own_reason(version: int) -> None:
    """It is not poison, whatever else it holds, because a later deployment may support it."""
    assert _error(f'{{"schemaVersion": {version}}}').reason == "UnknownSchemaVersion"


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, b"\xff", '{"a":1}x', "\ufeff{}", "nul"])
def test_body_that_is_not_json_is_invalid_json(body: str | bytes) -> None:
    """A byte order mark or text after the end of the object also makes it invalid."""
    assert _error(body).reason == "InvalidJson"


@pytest.mark.parametrize("leaf", ["1", "0.12345678901234567890"])
def test_json_may_be_nested_254_levels_deep(leaf: str) -> None:
    """The limit is the same for the fast parser and for the exact one, which long numbers need."""
    nested = message(x=7)
    assert read_envelope(nested.replace("7}", "[" * 253 + leaf + "]" * 253 + "}"))
    error = _error(nested.replace("7}", "[" * 254 + leaf + "]" * 254 + "}"))
    assert error.detail == "body: must be nested at most 254 levels deep"


def test_unknown_fields_are_limited_in_number_and_length_of_name() -> None:
    """At most 100 fields, with names of 1 to 255 bytes."""
    assert "x99" in read_envelope(message(**{f"x{number}": number for number in range(100)}))
    assert "at most 100" in _error(message(**{f"x{number}": number for number in range(101)})).detail
    assert "255 bytes" in _error(message(**{"é" * 128: 1})).detail
    assert "255 bytes" in _error(message(**{"": 1})).detail
