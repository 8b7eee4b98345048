"""The ledger of the chaos run holds when everything is where it belongs, and names each thing that is not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from recommendation_shared.envelope.errors import UNKNOWN_SCHEMA_VERSION
from recommendation_shared.item.encoding import encode_item
from tests.chaos.pipeline import ledger
from tests.chaos.pipeline.engines.queues import DeadLetter
from tests.chaos.pipeline.engines.table import DIGEST_DIFFERS, NO_ENVELOPE, TTL_DIFFERS, fingerprint
from tests.chaos.pipeline.ledger import EndState, account
from tests.chaos.pipeline.submission import Submission
from tests.support.lambdas.event import envelope

PLAIN: Final = Submission("0 plain", "plain", "rec-0", item="item-0", body="body-0")
BROKEN: Final = Submission("1 not JSON", "not JSON", body="body-1", reason="InvalidJson")
NEWER: Final = Submission("2 newer schema", "newer schema", body="body-2", reason=UNKNOWN_SCHEMA_VERSION)
EXPIRED: Final = Submission("3 expired", "expired", "rec-3", body="body-3", reason="Expired")
FULL: Final = Submission("4 plain", "plain", "rec-4", item="item-4", body="body-4", dropped="buffer_full")
REFUSED: Final = Submission("5 plain", "plain", "rec-5", item="item-5", body="body-5")
FIRST: Final = Submission("6 conflict", "conflict", "rec-6", item="item-6", body="body-6")
OTHER: Final = Submission("6 conflict (other)", "conflict", "rec-6", item="item-6b", body="body-6b")
SUBMISSIONS: Final = [PLAIN, BROKEN, NEWER, EXPIRED, FULL, REFUSED, FIRST, OTHER]
RIGHT: Final = EndState(
    items={"rec-0": "item-0", "rec-6": "item-6"},
    dead=[
        DeadLetter("body-1", "InvalidJson", 0),
        DeadLetter("body-2", None, 5),
        DeadLetter("body-6b", "IdConflict", 0),
        DeadLetter("body-3", "Expired", 0),
    ],
    left=0,
    refused=frozenset({"body-5"}),
    accepted=7,
    sent=5,
    pending=0,
    dropped={"buffer_full": 1, "send_failed": 1},
)


def wrong(end: EndState) -> dict[str, list[str]]:
    """Return the failed checks with their offenders."""
    return {check: offenders for check, offenders in account(SUBMISSIONS, end).wrong.items() if offenders}


def letter(reason: str, recommendation_id: str, item: str) -> DeadLetter:
    """Return a dead letter of the keeper's."""
    return DeadLetter("body of the item", reason, 0, is_keepers=True, recommendation_id=recommendation_id, item=item)


def without(items: Mapping[str, str], key: str) -> dict[str, str]:
    """Return a copy that lacks a key."""
    return {name: value for name, value in items.items() if name != key}


def test_every_submission_has_one_place_and_the_places_add_up() -> None:
    """Each is stored, dead-lettered, dropped or replaced and kept, and counted once."""
    result = account(SUBMISSIONS, RIGHT)
    assert result.holds
    assert result.ended == {
        "stored": 2,
        "dead-lettered: InvalidJson": 1,
        "dead-lettered: UnknownSchemaVersion": 1,
        "dead-lettered: IdConflict": 1,
        "dropped: buffer_full": 1,
        "dropped: send_failed": 1,
        "dead-lettered: Expired": 1,
    }
    assert sum(result.ended.values()) == result.submissions == len(SUBMISSIONS)


def test_a_dropped_submission_whose_earlier_attempt_arrived_counts_as_stored() -> None:
    """Delivery is at least once: the producer counts a drop, but the queue has the message."""
    result = account(SUBMISSIONS, replace(RIGHT, items={**RIGHT.items, "rec-5": "item-5"}))
    assert result.holds
    assert result.arrived_though_dropped == 1


def test_of_two_envelopes_with_one_id_the_stored_one_may_be_a_dead_letter_too() -> None:
    """It was dead-lettered alongside the other, then redelivered on its own, and replaced the other, which was kept."""
    items, kept = {**RIGHT.items, "rec-6": "item-6b"}, letter("IdConflict", "rec-6", "item-6")
    result = account(SUBMISSIONS, replace(RIGHT, items=items, dead=[*RIGHT.dead, kept]))
    assert result.holds
    assert result.ended[ledger.REPLACED] == 1


@pytest.mark.parametrize(
    ("items", "reason"), [({**RIGHT.items, "rec-0": DIGEST_DIFFERS}, "Tampered"), ({"rec-6": "item-6"}, "Deleted")]
)
def test_what_a_hand_edited_or_deleted_was_kept(items: dict[str, str], reason: str) -> None:
    """The keeper's letter holds the item as it was, bit by bit; the table may hold anything."""
    touched = replace(RIGHT, items=items, touched=frozenset({"rec-0"}))
    result = account(SUBMISSIONS, replace(touched, dead=[*RIGHT.dead, letter(reason, "rec-0", "item-0")]))
    assert result.holds
    assert result.ended[ledger.REPLACED] == 1
    assert ledger.REPLACED_UNSEEN in account(SUBMISSIONS, touched).wrong
    altered = [*RIGHT.dead, letter(reason, "rec-0", "item-9")]
    assert account(SUBMISSIONS, replace(touched, dead=altered)).wrong[ledger.REPLACED_UNSEEN] == ["0 plain"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"items": without(RIGHT.items, "rec-0")}, {ledger.LOST: ["0 plain"]}),
        ({"items": without(RIGHT.items, "rec-6")}, {ledger.LOST: ["6 conflict"]}),
        ({"dead": RIGHT.dead[1:]}, {ledger.LOST: ["1 not JSON"]}),
        ({"dead": [RIGHT.dead[0], *RIGHT.dead[2:]]}, {ledger.LOST: ["2 newer schema"]}),
        ({"dead": RIGHT.dead[:3]}, {ledger.LOST: ["3 expired"]}),
        ({"items": {**RIGHT.items, "rec-6": "item-6b"}}, {ledger.REPLACED_UNSEEN: ["6 conflict"]}),
        ({"dead": [*RIGHT.dead, letter("IdConflict", "rec-0", "item-0")]}, {ledger.UNKNOWN_DEAD: ["body of the item"]}),
        ({"dead": [*RIGHT.dead, letter("Tampered", "rec-6", "item-6")]}, {ledger.UNKNOWN_DEAD: ["body of the item"]}),
        ({"refused": frozenset()}, {ledger.LOST: ["5 plain"]}),
        (
            {"items": {**RIGHT.items, "rec-0": "item-9"}},
            {ledger.LOST: ["0 plain"], ledger.ALTERED: ["rec-0"]},
        ),
        ({"items": {**RIGHT.items, "rec-6": "item-0"}}, {ledger.LOST: ["6 conflict"], ledger.ALTERED: ["rec-6"]}),
        (
            {"dead": [*RIGHT.dead, DeadLetter("body-0", "IdConflict", 0)]},
            {ledger.IN_BOTH: ["0 plain"], ledger.WRONG_REASON: ["0 plain: IdConflict, 0 receives"]},
        ),
        (
            {"dead": [*RIGHT.dead, DeadLetter("body-0", None, 5)]},
            {ledger.IN_BOTH: ["0 plain"], ledger.WRONG_REASON: ["0 plain: None, 5 receives"]},
        ),
        (
            {"dead": [DeadLetter("body-1", None, 5), *RIGHT.dead[1:]]},
            {ledger.WRONG_REASON: ["1 not JSON: None, 5 receives"]},
        ),
        (
            {"dead": [DeadLetter("body-1", "IdMismatch", 0), *RIGHT.dead[1:]]},
            {ledger.WRONG_REASON: ["1 not JSON: IdMismatch, 0 receives"]},
        ),
        (
            {"dead": [RIGHT.dead[0], DeadLetter("body-2", None, 4), *RIGHT.dead[2:]]},
            {ledger.WRONG_REASON: ["2 newer schema: None, 4 receives"]},
        ),
        (
            {"dead": [*RIGHT.dead, DeadLetter("body-3", "InvalidJson", 0)]},
            {ledger.WRONG_REASON: ["3 expired: InvalidJson, 0 receives"]},
        ),
        ({"dead": [*RIGHT.dead, DeadLetter("body-9", "InvalidJson", 0)]}, {ledger.UNKNOWN_DEAD: ["body-9"]}),
        ({"items": {**RIGHT.items, "rec-9": "item-9"}}, {ledger.UNKNOWN_ITEMS: ["rec-9"]}),
        ({"items": {**RIGHT.items, "rec-3": "item-3"}}, {ledger.MUST_NOT_BE_STORED: ["rec-3"]}),
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
    ],
)
def test_one_thing_wrong_fails_its_checks_and_no_others(change: dict[str, Any], expected: dict[str, list[str]]) -> None:
    """Each failed check names its offenders."""
    assert wrong(replace(RIGHT, **change)) == expected


def test_an_item_has_its_envelopes_fingerprint_only_if_nothing_was_changed() -> None:
    """A change to content, digest or ttl is detected."""
    item = json.loads(encode_item(envelope().to_fields()).body)
    other = json.loads(encode_item(envelope(reasoning="another").to_fields()).body)
    assert len({fingerprint(item), fingerprint(other)} - {DIGEST_DIFFERS}) == 2
    assert fingerprint({**item, "reasoning": {"S": "another"}}) == DIGEST_DIFFERS
    assert fingerprint({**item, "extra": {"S": "an additional field"}}) == DIGEST_DIFFERS
    assert fingerprint({name: value for name, value in item.items() if name != "contentDigest"}) == DIGEST_DIFFERS
    assert fingerprint({**item, "ttl": {"N": "1"}}) == TTL_DIFFERS
    assert fingerprint({**item, "citations": {"S": "none"}}) == NO_ENVELOPE
