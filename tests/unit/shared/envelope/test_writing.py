"""Writing a message body from whatever values an agent holds."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from tests.support.envelopes import ARGUMENTS


def _rewritten(recommendation: Any) -> Any:
    """Return a recommendation as it is read after being written."""
    return read_envelope(write_envelope(**{**ARGUMENTS, "recommendation": recommendation}).body)["recommendation"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """An example of what an agent holds in memory."""

    cause: str
    seen: datetime


def test_python_values_are_written_in_their_json_form() -> None:
    """Dataclasses, datetimes, sets, tuples, decimals, and mappings other than dict."""
    recommendation = MappingProxyType(
        {
            "finding": Finding("disk", datetime(2026, 1, 31, tzinfo=UTC)),
            "tags": {"a"},
            "pair": (1, 2),
            "cost": Decimal("0.10"),
            1: "one",
        }
    )
    assert _rewritten(recommendation) == {
        "finding": {"cause": "disk", "seen": "2026-01-31T00:00:00Z"},
        "tags": ["a"],
        "pair": [1, 2],
        "cost": 0.1,
        "1": "one",
    }


def test_values_without_a_utf_8_form_are_written_as_text() -> None:
    """Lone surrogates are escaped, and bytes that are not UTF-8 become base64."""
    recommendation = {
        "name": "a\ud800",
        "raw": b"\xff",
        "finding": Finding("\udfff", datetime(2026, 1, 31, tzinfo=UTC)),
    }
    written = _rewritten(recommendation)
    assert written["name"] == "a\\ud800"
    assert written["raw"] == "_w=="
    assert written["finding"]["cause"] == "\\udfff"


def test_id_with_a_lone_surrogate_is_rejected() -> None:
    """It cannot be a key of the table."""
    with pytest.raises(EnvelopeError, match="incidentId: must be Unicode text"):
        write_envelope(**{**ARGUMENTS, "incident_id": "a\ud800"})


def test_characters_that_sqs_rejects_are_escaped() -> None:
    """U+FFFE and U+FFFF make SendMessage fail, although they are valid UTF-8."""
    written = write_envelope(**{**ARGUMENTS, "reasoning": "\ufffe\uffff"})
    assert b"\\ufffe\\uffff" in written.body
    assert read_envelope(written.body)["reasoning"] == "\ufffe\uffff"


class _Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


def test_value_that_cannot_be_printed_is_replaced_by_its_type() -> None:
    """The rest of the recommendation is kept."""
    written = _rewritten({"odd": _Unprintable(), "action": "roll back"})
    assert written == {"odd": "<_Unprintable>", "action": "roll back"}


@pytest.mark.parametrize(("shape", "text"), [("circle", "<circular reference>"), ("deep", "<nested too deeply>")])
def test_value_that_json_cannot_represent_is_marked_and_listed(shape: str, text: str) -> None:
    """The rest of the recommendation is kept."""
    value: dict[str, Any] = {"action": "roll back"}
    if shape == "circle":
        value["value"] = value
    else:
        for _ in range(5000):
            value = {"action": "roll back", "value": value}
    fields = read_envelope(write_envelope(**{**ARGUMENTS, "recommendation": value}).body)
    assert fields["recommendation"]["action"] == "roll back"
    (mark,) = fields["metadata"]["notRepresented"]
    assert mark["text"] == text
    assert mark["path"].startswith("/recommendation/value")


class _Unreadable(dict[str, Any]):
    """A mapping that raises when it is read."""

    def items(self) -> Any:
        """Raise."""
        raise RuntimeError


def test_mappings_that_cannot_be_read_are_marked_and_the_rest_is_stored() -> None:
    """The contract wants objects there; the consumer would reject the text of a mark."""
    odd = {"recommendation": _Unreadable(), "citations": [_Unreadable(), {"id": 1}], "metadata": _Unreadable()}
    fields = read_envelope(write_envelope(**{**ARGUMENTS, **odd}).body)
    text = "<_Unreadable: RuntimeError>"
    assert fields["recommendation"] == {"recommendation": text}
    assert fields["citations"] == [{"citation": text}, {"id": 1}]
    assert fields["metadata"]["metadata"] == text
    assert [mark["path"] for mark in fields["metadata"]["notRepresented"]] == [
        "/recommendation",
        "/citations/0",
        "/metadata",
    ]


def test_circular_confidence_is_kept_as_text() -> None:
    """Like every confidence that is not a number from 0 to 1."""
    circle: list[Any] = []
    circle.append(circle)
    fields = read_envelope(write_envelope(**{**ARGUMENTS, "confidence": circle}).body)
    assert fields["confidence"] is None
    assert fields["metadata"]["rawConfidence"] == '["<circular reference>"]'


def test_message_is_a_snapshot() -> None:
    """Later changes to the caller's values are not sent."""
    recommendation = {"action": "roll back"}
    written = write_envelope(**{**ARGUMENTS, "recommendation": recommendation})
    recommendation["action"] = "do nothing"
    assert read_envelope(written.body)["recommendation"] == {"action": "roll back"}
