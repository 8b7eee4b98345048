"""The ledger of the chaos run: it holds when everything is where it belongs, and names each thing that is not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from recommendation_shared.envelope.model import UNKNOWN_SCHEMA_VERSION
from recommendation_shared.item.encoding import encode_item
from tests.chaos.pipeline import ledger
from tests.chaos.pipeline.engines.table import DIGEST_DIFFERS, NO_ENVELOPE, TTL_DIFFERS, fingerprint
from tests.chaos.pipeline.ledger import Found, account
from tests.chaos.pipeline.letter import DeadLetter, Letter
from tests.support.lambdas.event import envelope

PLAIN: Final = Letter("0 plain", "plain", "rec-0", item="item-0", body="body-0")
BROKEN: Final = Letter("1 not JSON", "not JSON", body="body-1", reason="InvalidJson")
NEWER: Final = Letter("2 newer schema", "newer schema", body="body-2", reason=UNKNOWN_SCHEMA_VERSION)
EXPIRED: Final = Letter("3 expired", "expired", "rec-3", body="body-3")
FULL: Final = Letter("4 plain", "plain", "rec-4", item="item-4", body="body-4", dropped="buffer_full")
REFUSED: Final = Letter("5 plain", "plain", "rec-5", item="item-5", body="body-5")
FIRST: Final = Letter("6 conflict", "conflict", "rec-6", item="item-6", body="body-6")
OTHER: Final = Letter("6 conflict (other)", "conflict", "rec-6", item="item-6b", body="body-6b")
LETTERS: Final = [PLAIN, BROKEN, NEWER, EXPIRED, FULL, REFUSED, FIRST, OTHER]
RIGHT: Final = Found(
    items={"rec-0": "item-0", "rec-6": "item-6"},
    dead=[
        DeadLetter("body-1", "InvalidJson", 0),
        DeadLetter("body-2", None, 5),
        DeadLetter("body-6b", "IdConflict", 0),
    ],
    left=0,
    refused=frozenset({"body-5"}),
    accepted=7,
    sent=5,
    pending=0,
    dropped={"buffer_full": 1, "send_failed": 1},
    expired=1,
)


def wrong(found: Found) -> dict[str, list[str]]:
    """Return the lines that do not hold."""
    return {check: offenders for check, offenders in account(LETTERS, found).wrong.items() if offenders}


def without(items: Mapping[str, str], key: str) -> dict[str, str]:
    """Return a copy that lacks a key."""
    return {name: value for name, value in items.items() if name != key}


def test_every_letter_has_one_place_and_the_places_add_up() -> None:
    """Stored, dead, dropped, expired: each once."""
    found = account(LETTERS, RIGHT)
    assert found.holds
    assert found.ended == {
        "stored": 2,
        "dead-lettered: InvalidJson": 1,
        "dead-lettered: UnknownSchemaVersion": 1,
        "dead-lettered: IdConflict": 1,
        "dropped: buffer_full": 1,
        "dropped: send_failed": 1,
        "expired, acknowledged": 1,
    }
    assert sum(found.ended.values()) == found.letters == len(LETTERS)


def test_a_letter_dropped_after_an_attempt_that_arrived_is_stored_and_said_so() -> None:
    """At-least-once delivery: the producer counts a drop, and the queue has it all the same."""
    found = account(LETTERS, replace(RIGHT, items={**RIGHT.items, "rec-5": "item-5"}))
    assert found.holds
    assert found.arrived_though_dropped == 1


def test_of_two_envelopes_with_one_id_the_one_that_stands_may_be_a_dead_letter_too() -> None:
    """It was set aside beside the other, then delivered once more by itself; and the other was overwritten."""
    found = account(LETTERS, replace(RIGHT, items={**RIGHT.items, "rec-6": "item-6b"}))
    assert found.holds
    assert found.ended["overwritten by another envelope of the same ID"] == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"items": without(RIGHT.items, "rec-0")}, {ledger.LOST: ["0 plain"]}),
        ({"items": without(RIGHT.items, "rec-6")}, {ledger.LOST: ["6 conflict"]}),
        ({"dead": RIGHT.dead[1:]}, {ledger.LOST: ["1 not JSON"]}),
        ({"dead": [RIGHT.dead[0], RIGHT.dead[2]]}, {ledger.LOST: ["2 newer schema"]}),
        ({"refused": frozenset()}, {ledger.LOST: ["5 plain"]}),
        (
            {"items": {**RIGHT.items, "rec-0": "item-9"}},
            {ledger.LOST: ["0 plain"], ledger.ALTERED: ["rec-0"]},
        ),
        ({"items": {**RIGHT.items, "rec-6": "item-0"}}, {ledger.LOST: ["6 conflict"], ledger.ALTERED: ["rec-6"]}),
        (
            {"dead": [*RIGHT.dead, DeadLetter("body-0", "IdConflict", 0)]},
            {ledger.IN_BOTH: ["0 plain"], ledger.NO_REASON: ["0 plain: IdConflict, 0 receives"]},
        ),
        (
            {"dead": [*RIGHT.dead, DeadLetter("body-0", None, 5)]},
            {ledger.IN_BOTH: ["0 plain"], ledger.NO_REASON: ["0 plain: None, 5 receives"]},
        ),
        (
            {"dead": [DeadLetter("body-1", None, 5), *RIGHT.dead[1:]]},
            {ledger.NO_REASON: ["1 not JSON: None, 5 receives"]},
        ),
        (
            {"dead": [DeadLetter("body-1", "IdMismatch", 0), *RIGHT.dead[1:]]},
            {ledger.NO_REASON: ["1 not JSON: IdMismatch, 0 receives"]},
        ),
        (
            {"dead": [RIGHT.dead[0], DeadLetter("body-2", None, 4), RIGHT.dead[2]]},
            {ledger.NO_REASON: ["2 newer schema: None, 4 receives"]},
        ),
        (
            {"dead": [*RIGHT.dead, DeadLetter("body-3", "InvalidJson", 0)]},
            {ledger.NO_REASON: ["3 expired: InvalidJson, 0 receives"]},
        ),
        ({"dead": [*RIGHT.dead, DeadLetter("body-9", "InvalidJson", 0)]}, {ledger.UNKNOWN_DEAD: ["body-9"]}),
        ({"items": {**RIGHT.items, "rec-9": "item-9"}}, {ledger.UNKNOWN_ITEMS: ["rec-9"]}),
        ({"items": {**RIGHT.items, "rec-3": "item-3"}}, {ledger.NOT_TO_BE_STORED: ["rec-3"]}),
        ({"left": 2}, {ledger.LEFT: ["2 messages"]}),
        (
            {"pending": 1, "sent": 4},
            {ledger.BALANCE: ["accepted 7, sent 4, dropped {'buffer_full': 1, 'send_failed': 1}, pending 1"]},
        ),
        (
            {"accepted": 8},
            {ledger.BALANCE: ["accepted 8, sent 5, dropped {'buffer_full': 1, 'send_failed': 1}, pending 0"]},
        ),
        (
            {"dropped": {"buffer_full": 2}},
            {ledger.UNCOUNTED: ["send_failed: 1 missing, 0 counted"]},
        ),
        ({"expired": 0}, {ledger.EXPIRED_UNCOUNTED: ["1 expired, 0 counted"]}),
    ],
)
def test_the_ledger_refuses_and_names(change: dict[str, Any], expected: dict[str, list[str]]) -> None:
    """One thing wrong, the lines that it breaks, and no other."""
    assert wrong(replace(RIGHT, **change)) == expected


def test_an_item_has_the_fingerprint_of_its_envelope_only_when_nothing_was_changed() -> None:
    """Content, digest and ttl: a change of any shows."""
    item = json.loads(encode_item(envelope()).body)
    other = json.loads(encode_item(envelope(reasoning="another")).body)
    assert len({fingerprint(item), fingerprint(other)} - {DIGEST_DIFFERS}) == 2
    assert fingerprint({**item, "reasoning": {"S": "another"}}) == DIGEST_DIFFERS
    assert fingerprint({**item, "extra": {"S": "a field more"}}) == DIGEST_DIFFERS
    assert fingerprint({name: value for name, value in item.items() if name != "contentDigest"}) == DIGEST_DIFFERS
    assert fingerprint({**item, "ttl": {"N": "1"}}) == TTL_DIFFERS
    assert fingerprint({**item, "citations": {"S": "none"}}) == NO_ENVELOPE
