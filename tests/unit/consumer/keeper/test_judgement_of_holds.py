"""The keeper's judgement of holds, releases, erasures and marks, and of changes that only look like them."""

import json
from typing import Any

import pytest

from recommendation_consumer.keeper.change import Change, read_changes
from recommendation_consumer.keeper.judgement import Judgement, judge
from recommendation_shared.item.encoding import encode_item
from recommendation_shared.item.holds import Hold, hold_attribute
from recommendation_shared.item.marks import mark_item
from tests.support.lambdas.event import envelope
from tests.support.lambdas.stream_event import deleted, expired, modified, stored, stream_event
from tests.support.marks import held, released

ANN = "arn:aws:iam::123456789012:user/ann"
FIRST = Hold("Legal hold 42", ANN, "2026-02-01T09:00:00.000000Z")
LATER = Hold("Legal hold 43", ANN, "2026-02-02T09:00:00.000000Z")


def _held(hold: Hold = FIRST, **fields: Any) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(encode_item(envelope(**fields).to_fields(), None, hold).body)
    return item


def _without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


ITEM, HELD = stored(), _held()
KEPT, HELD_KEPT = stored(retention=None), _held(retention=None)
NO_ROOM = {**_without(ITEM, "ttl"), "hold": {"M": {}}}
ERASING = {**ITEM, "erasure": {"M": {"by": {"S": ANN}, "at": {"S": FIRST.at}}}}
MARK, RELEASED_MARK = mark_item(held("incident-123")), mark_item(released("incident-123"))


def _judged(record: dict[str, Any]) -> Judgement:
    change: Change
    (change,) = read_changes(stream_event(record))
    return judge(change)


@pytest.mark.parametrize(
    ("record", "judgement"),
    [
        pytest.param(modified(ITEM, HELD), Judgement.HELD, id="held"),
        pytest.param(modified(KEPT, HELD_KEPT), Judgement.HELD, id="held without a ttl"),
        pytest.param(modified(ITEM, NO_ROOM), Judgement.HELD, id="held without room for the reason"),
        pytest.param(modified(HELD, _held(LATER)), Judgement.HELD, id="held again later"),
        pytest.param(modified(_held(LATER), HELD), Judgement.HELD, id="written with the hold before the last"),
        pytest.param(modified({**HELD, "ttl": ITEM["ttl"]}, HELD), Judgement.HELD, id="ttl removed from a held item"),
        pytest.param(modified(HELD, HELD), Judgement.UNCHANGED, id="held and written again"),
        pytest.param(modified(HELD, ITEM), Judgement.RELEASED, id="released"),
        pytest.param(modified(NO_ROOM, ITEM), Judgement.RELEASED, id="released without a reason"),
        pytest.param(modified(HELD_KEPT, KEPT), Judgement.RELEASED, id="released without a ttl"),
        pytest.param(modified(HELD, _held(reasoning="other")), Judgement.OVERWRITTEN, id="other content, held"),
        pytest.param(modified(ITEM, ERASING), Judgement.UNCHANGED, id="about to be erased"),
        pytest.param(modified(ERASING, ITEM), Judgement.UNCHANGED, id="written again before it was erased"),
        pytest.param(deleted(ERASING), Judgement.ERASED, id="erased"),
        pytest.param(expired(ERASING), Judgement.ERASED, id="expired while it was erased"),
        pytest.param(modified(ERASING, stored(reasoning="other")), Judgement.ERASED, id="replaced while it was erased"),
        pytest.param(deleted(HELD), Judgement.DELETED, id="held item deleted"),
        pytest.param(modified(MARK, RELEASED_MARK), Judgement.MARKED, id="mark moved"),
    ],
)
def test_what_the_commands_do_is_expected(record: dict[str, Any], judgement: Judgement) -> None:
    """None of it becomes a dead letter, but for what was lost."""
    assert _judged(record) is judgement


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(modified(ITEM, {**HELD, "ttl": ITEM["ttl"]}), id="hold beside the ttl"),
        pytest.param(modified(HELD, {**HELD, "ttl": ITEM["ttl"]}), id="ttl of a held item put back"),
        pytest.param(modified(ITEM, {**HELD, "hold": {"S": "mine"}}), id="malformed hold"),
        pytest.param(
            modified(HELD, {**HELD, "hold": hold_attribute(FIRST._replace(reason="Never mind"))}), id="reason edited"
        ),
        pytest.param(modified(HELD, {**ITEM, "ttl": {"N": "1"}}), id="released with a ttl brought forward"),
        pytest.param(modified(HELD, _without(HELD, "hold")), id="hold removed alone"),
        pytest.param(modified(HELD_KEPT, {**KEPT, "ttl": {"N": "1"}}), id="ttl given to what never expires"),
        pytest.param(modified(ITEM, {**HELD, "contentDigest": {"S": "0" * 64}}), id="digest edited with the hold"),
        pytest.param(modified(ITEM, {**ITEM, "erasure": {"S": "me"}}), id="malformed erasure"),
        pytest.param(modified(RELEASED_MARK, MARK), id="mark moved back"),
        pytest.param(modified(MARK, {**MARK, "ttl": {"N": "1"}}), id="mark given a ttl"),
    ],
)
def test_any_other_change_of_them_is_tampering(record: dict[str, Any]) -> None:
    """The digest covers neither, so nothing else would show it."""
    assert _judged(record) is Judgement.TAMPERED


@pytest.mark.parametrize(
    "added",
    [
        pytest.param({}, id="as it was"),
        pytest.param({"erasure": ERASING["erasure"]}, id="announced as if it were erased"),
        pytest.param({"ttl": {"N": "1"}}, id="expired"),
    ],
)
def test_a_mark_that_somebody_deletes_is_a_dead_letter(added: dict[str, Any]) -> None:
    """It would end a hold, or let an erased incident be stored again, whatever it was given first."""
    assert _judged(deleted({**MARK, **added})) is Judgement.DELETED
    assert _judged(expired({**MARK, **added})) is Judgement.DELETED
