"""The dead letter of an item that was replaced, edited or deleted."""

import json
from typing import Any

import pytest

from recommendation_consumer.keeper.change import read_changes
from recommendation_consumer.keeper.letter import LetterTooLargeError, kept_letter
from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from recommendation_shared.item.message_body import message_body
from tests.support.lambdas.stream_event import CHANGED_AT_TEXT, STREAM_ARN, deleted, modified, stored, stream_event

ITEM = stored(confidence=0.1, reasoning="because ￾", metadata={"cost": 1e-7, "tokens": 10**20})

WHEN = f"at {CHANGED_AT_TEXT}, the stream does not say by whom"


def _letter(record: dict[str, Any], reason: str) -> Poison:
    (change,) = read_changes(stream_event(record))
    return kept_letter(change, reason)


def test_letter_is_the_envelope_that_is_stored_as_the_same_item() -> None:
    """Byte for byte, so redriving it restores exactly what was lost."""
    message = _letter(deleted(ITEM), "Deleted").message
    assert message.body is not None
    assert json.loads(encode_item(read_envelope(message.body)).body) == ITEM
    assert (message.message_id, message.queue_arn) == ("event-0", STREAM_ARN)


@pytest.mark.parametrize(
    ("reason", "record", "detail"),
    [
        (
            "IdConflict",
            modified(stored(), stored(reasoning="a-secret-value")),
            f"recommendationId: its item was replaced by other content {WHEN}; changed: contentDigest, reasoning",
        ),
        (
            "Tampered",
            modified(ITEM, {**ITEM, "ttl": {"N": "1"}}),
            f"contentDigest: its item was edited by hand {WHEN}; changed: ttl",
        ),
        (
            "Deleted",
            deleted(ITEM),
            f"recommendationId: its item was deleted before it expired {WHEN}",
        ),
        (
            "Deleted",
            {**deleted(ITEM), "userIdentity": {"principalId": "another.amazonaws.com", "type": "Service"}},
            f"recommendationId: its item was deleted before it expired at {CHANGED_AT_TEXT}, by another.amazonaws.com",
        ),
    ],
)
def test_detail_says_what_happened_when_and_by_whom(reason: str, record: dict[str, Any], detail: str) -> None:
    """As far as the stream says, and without any value."""
    assert _letter(record, reason).detail == detail


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({**ITEM, "agentType": {"S": "another"}}, "IdMismatch: recommendationId"),
        ({"recommendationId": {"S": "made-up"}}, "InvalidEnvelope: schemaVersion: Field required"),
        ({**ITEM, "recommendation": {"SS": ["b", "a"]}}, "InvalidEnvelope: recommendation"),
    ],
    ids=["edited before", "made by hand", "of a type that the consumer never writes"],
)
def test_item_that_was_no_recommendation_is_kept_too(item: dict[str, Any], problem: str) -> None:
    """Its letter says that redriving it will fail."""
    letter = _letter(deleted(item), "Deleted")
    assert f"it is not a valid envelope ({problem}" in letter.detail
    assert json.loads(str(letter.message.body))["recommendationId"] == item["recommendationId"]["S"]


def test_letter_of_an_edited_item_says_that_it_is_not_what_the_agent_said() -> None:
    """Undoing an edit keeps the edited content too, as evidence."""
    edited = {**ITEM, "reasoning": {"S": "edited"}}
    assert (
        "edited before, because its own digest does not fit; changed"
        in _letter(modified(edited, ITEM), "IdConflict").detail
    )
    assert "edited before" not in _letter(modified(ITEM, edited), "Tampered").detail


def test_item_whose_envelope_exceeds_a_message_is_refused() -> None:
    """Control characters take six bytes in JSON and one in the table."""
    with pytest.raises(LetterTooLargeError, match="event event-0 exceeds SQS's limit of 1 MiB"):
        _letter(deleted(stored(reasoning="\x01" * 200_000)), "Deleted")


def test_item_whose_envelope_leaves_no_room_for_its_reason_is_refused() -> None:
    """A message's attributes count towards its limit, so it could never be sent."""
    room = limits.SQS_REQUEST_BYTES - len(message_body(stored()))
    with pytest.raises(LetterTooLargeError):
        _letter(deleted(stored(reasoning="\x01" * (room // 6))), "Deleted")
    assert _letter(deleted(stored(reasoning="\x01" * ((room - 3_000) // 6))), "Deleted").reason == "Deleted"
