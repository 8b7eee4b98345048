"""The rules of the wire contract, one by one."""

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.writing import write_envelope

FIELDS: dict[str, Any] = {
    "incident_id": "incident-123",
    "execution_id": "execution-1",
    "agent_type": "signal-intelligence",
    "timestamp": "2026-01-31T12:00:00Z",
    "recommendation": {"action": "roll back"},
}


def _wire(**changes: Any) -> str:
    wire = json.loads(write_envelope(**FIELDS).body)
    return json.dumps({**wire, **changes})


def _error(body: str | bytes) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as caught:
        Envelope.from_json(body)
    return caught.value


def test_defaults_of_optional_fields() -> None:
    """A message sent by hand may leave them out."""
    wire = json.loads(_wire())
    for name in ("confidence", "reasoning", "citations", "metadata", "retention"):
        del wire[name]
    envelope = Envelope.from_json(json.dumps(wire))
    assert envelope == Envelope.create(**FIELDS)
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
def test_a_broken_rule_is_named_with_its_field(field: str, value: Any, rule: str) -> None:
    """One message, one reason: poison."""
    error = _error(_wire(**{field: value}))
    assert error.reason == "InvalidEnvelope"
    assert error.detail.startswith(f"{field}: ")
    assert rule in error.detail


def test_all_broken_rules_are_named() -> None:
    """Whoever mends the sender sees everything at once."""
    assert _error(_wire(incidentId="", citations=7)).detail.count(";") == 1


def test_an_id_that_the_fields_do_not_give_is_a_mismatch() -> None:
    """Also one with the fixed-width instant."""
    assert _error(_wire(recommendationId="rec-1")).reason == "IdMismatch"
    long_form = "rec-incident-123-signal-intelligence-2026-01-31T12:00:00.000000Z"
    assert _error(_wire(recommendationId=long_form)).reason == "IdMismatch"
    assert _error(_wire(incidentId="incident-124")).reason == "IdMismatch"


@pytest.mark.parametrize("version", [2, 10**30])
def test_a_newer_schema_version_has_its_own_reason(version: int) -> None:
    """It is no poison: a deploy will understand it, whatever else it holds."""
    assert _error(json.dumps({"schemaVersion": version})).reason == "UnknownSchemaVersion"


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, b"\xff", '{"a":1}x', "\ufeff{}", "nul"])
def test_what_is_not_json_is_named_so(body: str | bytes) -> None:
    """Without a word of what it holds."""
    assert _error(body).reason == "InvalidJson"


def test_json_deeper_than_the_parsers_limit_is_refused() -> None:
    """254 levels are read, whichever parser has to do it."""
    for leaf in ("1", "0.12345678901234567890"):
        assert Envelope.from_json(_wire(x=7).replace("7}", "[" * 253 + leaf + "]" * 253 + "}"))
        error = _error(_wire(x=7).replace("7}", "[" * 254 + leaf + "]" * 254 + "}"))
        assert error.detail == "body: must be nested at most 254 levels deep"


def test_extra_fields_are_bounded() -> None:
    """In number and in the length of their names."""
    assert Envelope.from_json(_wire(**{f"x{n}": n for n in range(100)})).model_extra
    assert "at most 100" in _error(_wire(**{f"x{n}": n for n in range(101)})).detail
    assert "255 bytes" in _error(_wire(**{"é" * 128: 1})).detail
    assert "255 bytes" in _error(_wire(**{"": 1})).detail


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (87, "87"),
        (-0.1, "-0.1"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ("high", "high"),
        (True, "true"),
        ([0.5], "[0.5]"),
        (1e-200, "1E-200"),
        ("\ud800", "\\ud800"),
    ],
)
def test_an_odd_confidence_is_kept_as_text(said: Any, kept: str) -> None:
    """The same from the producer's arguments and from a message sent by hand."""
    written = Envelope.create(**FIELDS, confidence=said, metadata={"cost": 1})
    sent = Envelope.from_json(_wire(confidence=said, metadata={"cost": 1}))
    for envelope in (written, sent):
        assert envelope.confidence is None
        assert envelope.metadata == {"cost": 1, "rawConfidence": kept}


@pytest.mark.parametrize("said", [0, 1, 0.87, 1.0, Decimal("0.87")])
def test_a_probability_is_kept_as_a_number(said: float | Decimal) -> None:
    """Whatever its type in Python."""
    confidence = Envelope.create(**FIELDS, confidence=said).confidence
    assert confidence is not None
    assert float(confidence) == float(said)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What an agent may hold in memory."""

    cause: str
    seen: datetime


def test_agents_values_of_other_types_are_written_as_json() -> None:
    """Dataclasses, times, sets, tuples, decimals, mappings that are no dict."""
    recommendation = MappingProxyType(
        {
            "finding": Finding("disk", datetime(2026, 1, 31, tzinfo=UTC)),
            "tags": {"a"},
            "pair": (1, 2),
            "cost": Decimal("0.10"),
            1: "one",
        }
    )
    envelope = Envelope.create(**{**FIELDS, "recommendation": recommendation})
    assert envelope.recommendation == {
        "finding": {"cause": "disk", "seen": "2026-01-31T00:00:00Z"},
        "tags": ["a"],
        "pair": [1, 2],
        "cost": "0.10",
        "1": "one",
    }


def test_what_utf_8_cannot_hold_is_written_as_text() -> None:
    """Lone surrogates, and bytes that are no UTF-8, next to everything else."""
    recommendation = {
        "name": "a\ud800",
        "raw": b"\xff",
        "finding": Finding("\udfff", datetime(2026, 1, 31, tzinfo=UTC)),
    }
    envelope = Envelope.create(**{**FIELDS, "recommendation": recommendation})
    assert envelope.recommendation["name"] == "a\\ud800"
    assert envelope.recommendation["raw"] == "_w=="
    assert envelope.recommendation["finding"]["cause"] == "\\udfff"


def test_an_id_with_a_lone_surrogate_is_refused() -> None:
    """It could not be a key."""
    with pytest.raises(EnvelopeError, match="incidentId: must be Unicode text"):
        write_envelope(**{**FIELDS, "incident_id": "a\ud800"})


def test_characters_that_sqs_refuses_are_escaped() -> None:
    """U+FFFE and U+FFFF make SendMessage fail, though they are good UTF-8."""
    written = write_envelope(**{**FIELDS, "reasoning": "\ufffe\uffff"})
    assert b"\\ufffe\\uffff" in written.body
    envelope = Envelope.from_json(written.body)
    assert envelope.reasoning == "\ufffe\uffff"
    assert b"\\ufffe\\uffff" in envelope.to_json()


class _Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


def test_a_value_that_cannot_be_printed_costs_only_itself() -> None:
    """The rest of the recommendation is kept."""
    envelope = Envelope.create(**{**FIELDS, "recommendation": {"odd": _Unprintable(), "action": "roll back"}})
    assert envelope.recommendation == {"odd": "<_Unprintable>", "action": "roll back"}


@pytest.mark.parametrize("shape", ["circle", "deep"])
def test_what_cannot_be_written_is_refused(shape: str) -> None:
    """With the one declared error, as recommendation or as confidence."""
    value: dict[str, Any] = {}
    if shape == "circle":
        value["value"] = value
    else:
        for _ in range(5000):
            value = {"value": value}
    with pytest.raises(EnvelopeError, match="must be serialisable as JSON"):
        write_envelope(**{**FIELDS, "recommendation": value})
    with pytest.raises(EnvelopeError, match="confidence: must be a number from 0 to 1"):
        write_envelope(**{**FIELDS, "confidence": value})


def test_an_envelope_is_a_snapshot() -> None:
    """What the caller changes afterwards is not sent."""
    recommendation = {"action": "roll back"}
    written = write_envelope(**{**FIELDS, "recommendation": recommendation})
    recommendation["action"] = "do nothing"
    assert Envelope.from_json(written.body).recommendation == {"action": "roll back"}
