"""The permissions to read marks, to hold and to release, as DynamoDB's condition keys restrict them.

For UpdateItem, `dynamodb:Attributes` are those of the key, the expressions and the response (Amazon DynamoDB Developer
Guide, "Using IAM policy conditions for fine-grained access control").
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from recommendation_cli.holds.records import Records, Wanted
from recommendation_shared.item.holds import Hold, hold_attribute
from recommendation_shared.item.marks import MARKS, mark_key
from tests.support.fakes.conditional_table import ConditionalTable
from tests.support.iam.identities import AGENT_INDEX, INDEXES, TABLE, statements_of
from tests.support.iam.policy import Decision, Request, decide

HOLD: Final = Hold("Legal", "arn:aws:iam::123456789012:user/ann", "2026-02-01T09:00:00.000000Z")
KEY: Final = {"recommendationId": {"S": "rec-1"}}
OTHERS: Final = ("incidentId", "reasoning", "recommendation", "contentDigest", "retention", "timestamp", "erasure")


def _decision(identity: str, action: str, resource: str = TABLE, **context: str | tuple[str, ...]) -> Decision:
    keys = {f"dynamodb:{name}": value for name, value in context.items()}
    return decide(statements_of(identity, {}), Request(f"dynamodb:{action}", resource, keys))


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ({**KEY, "ttl": {"N": "1"}}, Wanted(hold_attribute(HOLD), None)),
        ({**KEY, "hold": hold_attribute(HOLD)}, Wanted(None, {"N": "1"})),
        ({**KEY, "hold": hold_attribute(HOLD)}, Wanted(None, None)),
    ],
    ids=["hold", "release", "release of what never expires"],
)
def test_the_commands_own_updates_are_allowed(item: Mapping[str, Any], wanted: Wanted) -> None:
    """They name no attribute that the curator may not change, not even in the condition."""
    table = ConditionalTable({"rec-1": dict(item)})
    assert Records(table, "table", "incident-1").change(item, wanted)
    (named,) = table.named
    context: dict[str, Any] = {"LeadingKeys": ("rec-1",), "Attributes": tuple(named), "ReturnValues": "NONE"}
    assert _decision("CuratorRole", "UpdateItem", **context) == "allowed"


@pytest.mark.parametrize("attribute", ["ttl", "hold"])
@pytest.mark.parametrize("key", [mark_key("incident-1"), "agent-type/new"])
def test_the_curator_can_neither_hold_nor_expire_what_is_not_a_recommendation(key: str, attribute: str) -> None:
    """With a ttl, DynamoDB would delete the mark of an erasure, and what was erased could be stored again."""
    attributes = ("recommendationId", attribute)
    decision = _decision("CuratorRole", "UpdateItem", LeadingKeys=(key,), Attributes=attributes, ReturnValues="NONE")
    assert decision == "denied"


@pytest.mark.parametrize("attribute", OTHERS)
def test_the_curator_can_change_nothing_but_ttl_and_hold(attribute: str) -> None:
    """Neither alone nor beside what it may change."""
    for attributes in ((attribute,), ("recommendationId", "hold", attribute)):
        assert _decision("CuratorRole", "UpdateItem", Attributes=attributes, ReturnValues="NONE") == "denied"


@pytest.mark.parametrize("returned", ["ALL_OLD", "ALL_NEW"])
def test_an_update_must_not_return_whole_items(returned: str) -> None:
    """DynamoDB checks the returned attributes only if the policy rules these values out."""
    attributes = ("recommendationId", "hold")
    assert _decision("CuratorRole", "UpdateItem", Attributes=attributes, ReturnValues=returned) == "denied"


def test_the_curator_puts_marks_and_no_recommendations() -> None:
    """By the key alone, in one request or several."""
    mark, other = mark_key("incident-1"), "rec-incident-1-consensus-2026-01-31T12:00:00Z"
    assert _decision("CuratorRole", "PutItem", LeadingKeys=(mark,)) == "allowed"
    for keys in ((other,), (mark, other), ("agent-type/new",)):
        assert _decision("CuratorRole", "PutItem", LeadingKeys=keys) == "denied"
    for action in ("DeleteItem", "BatchWriteItem", "Scan", "PartiQLUpdate"):
        assert _decision("CuratorRole", action, LeadingKeys=(mark,)) == "denied"


def test_the_consumer_reads_marks_and_nothing_else() -> None:
    """Of the table that it writes, it can read no recommendation."""
    assert _decision("ConsumerRole", "Query", AGENT_INDEX, LeadingKeys=(MARKS,)) == "allowed"
    assert _decision("ConsumerRole", "Query", AGENT_INDEX, LeadingKeys=("consensus",)) == "denied"
    for resource in {TABLE, *INDEXES} - {AGENT_INDEX}:
        assert _decision("ConsumerRole", "Query", resource, LeadingKeys=(MARKS,)) == "denied"
