"""The permissions to erase an incident, as the condition keys of DynamoDB and S3 restrict them.

For UpdateItem, `dynamodb:Attributes` are those of the key, the expressions and the response (Amazon DynamoDB Developer
Guide, "Using IAM policy conditions for fine-grained access control").
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from infra.synthesis.synthesize import EVERY_OPTION
from recommendation_shared.item.marks import mark_key
from tests.support.fakes import erasable_account
from tests.support.fakes.dead_letter_queue import DLQ
from tests.support.fakes.erasable_account import Account, filled_account
from tests.support.fakes.recommendation_table import TABLE as TABLE_NAME
from tests.support.iam.identities import ARCHIVE, BUCKET, DEAD, INDEXES, QUEUE, REVIEWS, TABLE, statements_of
from tests.support.iam.policy import Context, Decision, Request, decide

WITH_ARCHIVE: Final = {"ArchiveBucketArn": EVERY_OPTION["ArchiveBucketArn"]}
MARK: Final = mark_key("incident-7")
RECOMMENDATION: Final = "rec-incident-7-consensus-2026-01-31T12:00:00Z"
SQS_ACTIONS: Final = {
    "get_queue_attributes": "GetQueueAttributes",
    "receive_message": "ReceiveMessage",
    "delete_message_batch": "DeleteMessage",
    "change_message_visibility_batch": "ChangeMessageVisibility",
}
S3_ACTIONS: Final = {"get_object": "GetObject", "put_object": "PutObject", "delete_object": "DeleteObject"}


def _decision(action: str, resource: str, context: Context) -> Decision:
    return decide(statements_of("EraserRole", WITH_ARCHIVE), Request(action, resource, context))


def _on_table(action: str, **context: str | tuple[str, ...]) -> Decision:
    return _decision(f"dynamodb:{action}", TABLE, {f"dynamodb:{name}": value for name, value in context.items()})


def _request(name: str, parameters: Mapping[str, Any]) -> Request:
    """Return the request that IAM judges for a call."""
    if "QueueUrl" in parameters:
        return Request(f"sqs:{SQS_ACTIONS[name]}", DEAD if parameters["QueueUrl"] == DLQ else QUEUE)
    if name == "list_objects_v2":
        return Request("s3:ListBucket", BUCKET, {"s3:prefix": parameters["Prefix"]})
    if "Bucket" in parameters:
        return Request(f"s3:{S3_ACTIONS[name]}", f"{BUCKET}/{parameters['Key']}")
    action = f"dynamodb:{name.title().replace('_', '')}"
    if parameters["TableName"] != TABLE_NAME:
        return Request(action, REVIEWS)
    if name == "query":
        return Request(action, f"{TABLE}/index/{parameters['IndexName']}")
    key = parameters.get("Key", parameters.get("Item"))["recommendationId"]["S"]
    expressions = " ".join(text for name, text in parameters.items() if name.endswith("Expression"))
    attributes = {"recommendationId", *re.findall(r"(?<![:#])\b[a-z]\w+", expressions)} - {
        "attribute_exists",
        "attribute_not_exists",
    }
    context = {"dynamodb:LeadingKeys": (key,), "dynamodb:Attributes": tuple(attributes)}
    return Request(action, TABLE, context)


def test_every_call_of_the_command_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the dry run to the finished mark, with something to delete in every place."""
    requests: list[Request] = []
    call = Account.call

    def note(self: Account, name: str, act: Any, parameters: Mapping[str, Any]) -> Any:
        if name != "get_caller_identity":  # which needs no permission
            requests.append(_request(name, parameters))
        return call(self, name, act, parameters)

    monkeypatch.setattr(Account, "call", note)
    incident = erasable_account.INCIDENT
    command = ("erase", incident, "--archive-bucket", erasable_account.BUCKET, "--reason", "r", "--confirm", incident)
    assert filled_account().run(tmp_path, *command).exit_code == 0
    assert {request.action for request in requests} >= {
        *("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "sqs:DeleteMessage"),
        *("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
    }
    assert [request for request in requests if _decision(*request[:3]) != "allowed"] == []


@pytest.mark.parametrize("attribute", ["reasoning", "recommendation", "contentDigest", "ttl", "hold", "incidentId"])
def test_eraser_can_change_nothing_of_a_recommendation(attribute: str) -> None:
    """Only that it is about to be deleted; neither alone nor beside that, and nothing of a mark."""
    for attributes in ((attribute,), ("recommendationId", "erasure", attribute)):
        assert _on_table("UpdateItem", LeadingKeys=(RECOMMENDATION,), Attributes=attributes) == "denied"
    announcing = ("recommendationId", "erasure")
    assert _on_table("UpdateItem", LeadingKeys=(RECOMMENDATION,), Attributes=announcing) == "allowed"
    assert _on_table("UpdateItem", LeadingKeys=(MARK,), Attributes=announcing) == "denied"
    for returned in ("ALL_OLD", "ALL_NEW"):
        context = {"Attributes": announcing, "ReturnValues": returned, "LeadingKeys": (RECOMMENDATION,)}
        assert _on_table("UpdateItem", **context) == "denied"


def test_eraser_deletes_recommendations_and_puts_marks_and_not_the_reverse() -> None:
    """A mark stays, and no recommendation can be written or replaced."""
    for keys in ((MARK,), ("agent-type/new",), (RECOMMENDATION, MARK)):
        assert _on_table("DeleteItem", LeadingKeys=keys) == "denied"
    for keys in ((RECOMMENDATION,), ("agent-type/new",), (RECOMMENDATION, MARK)):
        assert _on_table("PutItem", LeadingKeys=keys) == "denied"
    for action in ("BatchWriteItem", "Scan", "PartiQLDelete", "PartiQLUpdate", "DeleteTable"):
        assert _on_table(action, LeadingKeys=(MARK,)) == "denied"


def test_eraser_finds_recommendations_by_their_incident_only() -> None:
    """It cannot list what an agent said."""
    found = [index for index in INDEXES if _decision("dynamodb:Query", index, {}) == "allowed"]
    assert found == [INDEXES[0]]
    assert "incidentId" in found[0]


def test_eraser_lists_and_rewrites_the_archives_folder_and_no_other() -> None:
    """Nothing of the bucket itself can be changed, and no earlier version deleted."""
    assert _decision("s3:ListBucket", BUCKET, {"s3:prefix": "incidents/dt=2026-01-31/"}) == "allowed"
    for context in ({}, {"s3:prefix": ""}, {"s3:prefix": "other/"}):
        assert _decision("s3:ListBucket", BUCKET, context) == "denied"
    assert _decision("s3:DeleteObject", ARCHIVE, {}) == "allowed"
    assert _decision("s3:DeleteObjectVersion", ARCHIVE, {}) == "denied"
    assert _decision("s3:GetObject", f"{BUCKET}/elsewhere/1.jsonl.gz", {}) == "denied"
