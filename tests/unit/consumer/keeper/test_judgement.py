"""What each kind of change in the table is."""

import json
from typing import Any

import pytest

from recommendation_consumer.keeper.change import Change, read_changes
from recommendation_consumer.keeper.judgement import Judgement, changed_attributes, judge
from recommendation_consumer.message import MalformedEventError
from recommendation_shared.item.encoding import encode_item, item_digest
from tests.support.lambdas.event import envelope
from tests.support.lambdas.stream_event import (
    CHANGED_AT,
    TTL_PRINCIPAL,
    deleted,
    expired,
    inserted,
    modified,
    stored,
    stream_event,
)

ITEM = stored()
TRACED: dict[str, Any] = json.loads(
    encode_item(envelope().to_fields(), "Root=1-5759e988-bd862e3fe1be46a994272793").body
)
_UNDATED = {**ITEM, "timestamp": {"M": {}}}
UNDATED = {**_UNDATED, "contentDigest": {"S": item_digest(_UNDATED)}}
REPLICATION = {
    "aws:rep:deleting": {"BOOL": False},
    "aws:rep:updatetime": {"N": "1769947200.123001"},
    "aws:rep:updateregion": {"S": "eu-west-1"},
}


def _change(record: dict[str, Any]) -> Change:
    (change,) = read_changes(stream_event(record))
    return change


@pytest.mark.parametrize(
    ("record", "judgement"),
    [
        pytest.param(inserted(ITEM), Judgement.UNCHANGED, id="new item"),
        pytest.param(modified(ITEM, stored()), Judgement.UNCHANGED, id="identical rewrite"),
        pytest.param(modified(ITEM, {**ITEM, **REPLICATION}), Judgement.UNCHANGED, id="marks of replication"),
        pytest.param(modified(ITEM, stored(reasoning="other")), Judgement.OVERWRITTEN, id="other content"),
        pytest.param(
            modified({**ITEM, **REPLICATION}, stored(reasoning="other")), Judgement.OVERWRITTEN, id="in a global table"
        ),
        pytest.param(modified(ITEM, stored(retention=None)), Judgement.OVERWRITTEN, id="other retention"),
        pytest.param(modified(ITEM, {**ITEM, "reasoning": {"S": "edited"}}), Judgement.TAMPERED, id="edited by hand"),
        pytest.param(modified({**ITEM, "reasoning": {"S": "edited"}}, ITEM), Judgement.OVERWRITTEN, id="edit undone"),
        pytest.param(
            modified({**ITEM, "reasoning": {"S": "edited"}}, stored(reasoning="other")),
            Judgement.OVERWRITTEN,
            id="edit replaced",
        ),
        pytest.param(
            modified({**ITEM, "reasoning": {"S": "edited"}}, {**ITEM, "reasoning": {"S": "again"}}),
            Judgement.TAMPERED,
            id="edited twice",
        ),
        pytest.param(modified(ITEM, {**ITEM, "note": {"S": "mine"}}), Judgement.TAMPERED, id="attribute added"),
        pytest.param(
            modified(ITEM, {**ITEM, "aws:rep:note": {"S": "mine"}}),
            Judgement.TAMPERED,
            id="attribute named like a mark",
        ),
        pytest.param(modified(ITEM, {**ITEM, "icon": {"B": "AAEC"}}), Judgement.TAMPERED, id="binary attribute added"),
        pytest.param(
            modified(ITEM, {name: ITEM[name] for name in ITEM if name != "citations"}),
            Judgement.TAMPERED,
            id="attribute removed",
        ),
        pytest.param(modified(ITEM, {**ITEM, "ttl": {"N": "1"}}), Judgement.TAMPERED, id="ttl brought forward"),
        pytest.param(
            modified(ITEM, {name: ITEM[name] for name in ITEM if name != "ttl"}), Judgement.TAMPERED, id="ttl removed"
        ),
        pytest.param(modified(ITEM, {**ITEM, "contentDigest": {"S": "0" * 64}}), Judgement.TAMPERED, id="digest alone"),
        pytest.param(modified({**ITEM, "ttl": {"N": "1"}}, ITEM), Judgement.OVERWRITTEN, id="ttl put back"),
        pytest.param(
            modified({name: ITEM[name] for name in ITEM if name != "ttl"}, ITEM),
            Judgement.OVERWRITTEN,
            id="removed ttl put back",
        ),
        pytest.param(
            modified(ITEM, {**ITEM, "ttl": {"N": "1"}, "contentDigest": {"S": "0" * 64}}),
            Judgement.TAMPERED,
            id="ttl and digest",
        ),
        pytest.param(
            modified({**ITEM, "ttl": {"N": "1"}}, {**ITEM, "contentDigest": {"S": "0" * 64}}),
            Judgement.TAMPERED,
            id="ttl put back and digest edited",
        ),
        pytest.param(
            modified({name: ITEM[name] for name in ITEM if name != "contentDigest"}, ITEM),
            Judgement.UNCHANGED,
            id="digest that an older version did not store",
        ),
        pytest.param(
            modified({**ITEM, "contentDigest": {"S": "0" * 64}}, ITEM), Judgement.UNCHANGED, id="digest put right"
        ),
        pytest.param(
            modified(ITEM, {name: ITEM[name] for name in ITEM if name != "contentDigest"}),
            Judgement.TAMPERED,
            id="digest removed",
        ),
        pytest.param(modified(TRACED, ITEM), Judgement.UNCHANGED, id="trace header of another message"),
        pytest.param(modified(ITEM, TRACED), Judgement.UNCHANGED, id="trace header added"),
        pytest.param(
            modified(UNDATED, {**UNDATED, "ttl": {"N": "1"}}), Judgement.TAMPERED, id="ttl of an item without a time"
        ),
        pytest.param(
            modified(ITEM, {"recommendationId": ITEM["recommendationId"]}), Judgement.TAMPERED, id="emptied by hand"
        ),
        pytest.param(expired(ITEM), Judgement.EXPIRED, id="TTL"),
        pytest.param(deleted(ITEM), Judgement.DELETED, id="deleted by somebody"),
        pytest.param(
            {**deleted(ITEM), "userIdentity": {"principalId": "another.amazonaws.com", "type": "Service"}},
            Judgement.DELETED,
            id="deleted by another service",
        ),
        pytest.param({**deleted(ITEM), "userIdentity": None}, Judgement.DELETED, id="explicitly nobody"),
        pytest.param(deleted(stored(retention=None)), Judgement.DELETED, id="deleted, kept indefinitely"),
        pytest.param(
            deleted(ITEM, at=int(ITEM["ttl"]["N"]) + 60),
            Judgement.EXPIRED,
            id="TTL in another Region",
        ),
        pytest.param(
            deleted(ITEM, at=int(ITEM["ttl"]["N"])), Judgement.EXPIRED, id="TTL in the second that it expires"
        ),
        pytest.param(deleted(ITEM, at=int(ITEM["ttl"]["N"]) - 60), Judgement.DELETED, id="deleted before it expired"),
    ],
)
def test_change_is_judged(record: dict[str, Any], judgement: Judgement) -> None:
    """Recorded events of every kind."""
    assert judge(_change(record)) is judgement


def test_differences_are_named_in_order() -> None:
    """Names alone, for a person who wants to know what was changed."""
    new = {**stored(reasoning="other"), "note": {"S": "mine"}}
    assert changed_attributes(_change(modified(ITEM, new))) == ["contentDigest", "note", "reasoning"]


def test_change_of_a_compact_table_is_judged_by_its_whole_item() -> None:
    """A stream has the table's items: only the indexes lack attributes."""
    change = _change(modified(ITEM, stored(citations=[{"source": "runbook"}])))
    assert change.old == ITEM
    assert judge(change) is Judgement.OVERWRITTEN


def test_principal_of_ttl_is_recognised_whatever_else_the_identity_holds() -> None:
    """The only principal that a stream names."""
    change = _change({**deleted(ITEM), "userIdentity": {**TTL_PRINCIPAL, "extra": "x"}})
    assert (change.is_by_ttl, change.principal, change.at) == (True, "dynamodb.amazonaws.com", CHANGED_AT)


@pytest.mark.parametrize(
    "record",
    [
        {},
        "text",
        None,
        {**modified(ITEM, ITEM), "dynamodb": {"SequenceNumber": "1"}},
        {**modified(ITEM, ITEM), "eventName": "REMOVE", "dynamodb": {**inserted(ITEM)["dynamodb"]}},
        {name: value for name, value in deleted(ITEM).items() if name != "eventID"},
        {**deleted(ITEM), "dynamodb": {**deleted(ITEM)["dynamodb"], "OldImage": ["x"]}},
    ],
    ids=["empty", "text", "null", "without images", "without its old image", "without an event ID", "image is a list"],
)
def test_record_that_is_not_from_such_a_stream_raises(record: Any) -> None:
    """A stream without old images would otherwise keep nothing, silently."""
    with pytest.raises(MalformedEventError, match=r"Records\[0\] is not from a DynamoDB stream with old and new"):
        read_changes({"Records": [record]})


@pytest.mark.parametrize("event", [None, [], {}, {"Records": None}])
def test_event_without_records_raises(event: Any) -> None:
    """Somebody else invoked the function."""
    with pytest.raises(MalformedEventError, match="is the source a DynamoDB stream"):
        read_changes(event)
