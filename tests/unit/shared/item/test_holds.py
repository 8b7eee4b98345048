"""The attributes `hold` and `erasure` of an item: their form, and the items that have no room for them."""

import json
from typing import Any

import pytest

from recommendation_shared import limits
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item, item_digest
from recommendation_shared.item.holds import (
    REASON_BYTES,
    Erasure,
    Hold,
    fitting_erasure,
    hold_attribute,
    read_erasure,
    read_hold,
    reason,
)
from recommendation_shared.item.message_body import message_body
from recommendation_shared.item.size import item_size
from tests.support.envelopes import message

HOLD = Hold("Legal hold 42", "arn:aws:iam::123456789012:user/ann", "2026-02-01T09:00:00.000000Z")
LONGEST = HOLD._replace(reason="r" * REASON_BYTES)


def _item(hold: Hold | None = None, **changes: Any) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(encode_item(read_envelope(message(**changes)), None, hold).body)
    return item


def _full(**changes: Any) -> dict[str, Any]:
    """Return the fields that make an item of exactly 400 KB."""
    room = limits.ITEM_BYTES - item_size(_item(reasoning="", **changes))
    return {**changes, "reasoning": "x" * room}


def test_a_held_item_has_the_hold_and_no_ttl_and_is_otherwise_the_same() -> None:
    """TTL deletes only what has a ttl."""
    item, held = _item(), _item(HOLD)
    assert read_hold(held) == HOLD
    del item["ttl"], held["hold"]
    assert held == item


def test_a_hold_does_not_change_the_digest_or_the_message() -> None:
    """So a digest stays valid while its item is held, and a held item can be redriven."""
    assert item_digest(_item(HOLD)) == item_digest(_item()) == _item()["contentDigest"]["S"]
    assert message_body(_item(HOLD)) == message_body(_item())


def test_a_message_can_set_neither_a_hold_nor_an_erasure() -> None:
    """Only a person with the role can: a producer's values under these names are ignored, like a ttl's."""
    fields = read_envelope(message(hold={"reason": "mine"}, erasure={"by": "me"}))
    assert encode_item(fields) == encode_item(read_envelope(message()))


def test_a_held_item_that_is_encoded_again_has_the_same_bytes() -> None:
    """Otherwise the keeper would see a change in every redelivery."""
    fields = read_envelope(message())
    assert encode_item(fields, "Root=1-2-3", HOLD) == encode_item(fields, "Root=1-2-3", HOLD)


def test_a_full_item_is_held_by_an_empty_map() -> None:
    """Its mark has the reason; what counts is that the ttl is gone."""
    held = _item(LONGEST, **_full())
    assert "ttl" not in held
    assert held["hold"] == {"M": {}}
    assert read_hold(held) == Hold("", "", "")
    assert item_size(held) <= limits.ITEM_BYTES


def test_a_full_item_that_never_expires_needs_no_hold() -> None:
    """It has no ttl whose room the hold could take."""
    held = _item(LONGEST, **_full(retention=None))
    assert held.keys() & {"ttl", "hold"} == set()


def test_an_erasure_says_who_and_when_if_there_is_room() -> None:
    """A full item gets the empty map, or nothing at all."""
    erasure = Erasure(HOLD.by, HOLD.at)
    value = fitting_erasure(_item(), erasure)
    assert value is not None
    assert read_erasure({"erasure": value}) == erasure
    assert fitting_erasure(_item(**_full()), erasure) is None


@pytest.mark.parametrize(
    "value",
    [
        {"S": "held"},
        {"M": {"reason": {"S": "because"}}},
        {"M": {**hold_attribute(HOLD)["M"], "until": {"S": "later"}}},
        {"M": {**hold_attribute(HOLD)["M"], "by": {"N": "1"}}},
        {"M": {**hold_attribute(HOLD)["M"], "at": {"S": "yesterday"}}},
        {"M": {**hold_attribute(HOLD)["M"], "reason": {"S": "r" * (REASON_BYTES + 1)}}},
    ],
)
def test_a_malformed_hold_is_none(value: dict[str, Any]) -> None:
    """The keeper counts it as tampering."""
    assert read_hold({"hold": value}) is None


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "x" * (REASON_BYTES + 1), "\ud800"])
def test_a_reason_is_one_line_that_is_not_empty(text: str) -> None:
    """It is printed in lists and stored in every item."""
    with pytest.raises(ValueError, match="1 to 1000 bytes"):
        reason(text)
