"""A confidence that is not a number from 0 to 1."""

from decimal import Decimal
from typing import Any

import pytest

from recommendation_shared.envelope import Envelope
from tests.support.envelopes import ARGUMENTS, message


@pytest.mark.parametrize(
    ("confidence", "raw"),
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
def test_invalid_confidence_is_kept_as_text_in_the_metadata(confidence: Any, raw: str) -> None:
    """The result is the same for the producer's arguments and for a message sent by hand."""
    written = Envelope.create(**ARGUMENTS, confidence=confidence, metadata={"cost": 1})
    sent_by_hand = Envelope.from_json(message(confidence=confidence, metadata={"cost": 1}))
    for envelope in (written, sent_by_hand):
        assert envelope.confidence is None
        assert envelope.metadata == {"cost": 1, "rawConfidence": raw}


@pytest.mark.parametrize("confidence", [0, 1, 0.87, 1.0, Decimal("0.87")])
def test_confidence_from_0_to_1_is_kept_as_a_number(confidence: float | Decimal) -> None:
    """Any Python number will do."""
    kept = Envelope.create(**ARGUMENTS, confidence=confidence).confidence
    assert kept is not None
    assert float(kept) == float(confidence)
