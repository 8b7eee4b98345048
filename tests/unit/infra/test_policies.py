"""Least privilege: which of all AWS actions each identity may perform, decided from the deployed policies."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from infra.synthesis.synthesize import EVERY_OPTION
from tests.support.iam.identities import (
    AGENT_INDEX,
    ALLOWED,
    ARCHIVE,
    DEAD,
    FAILURES,
    FOREIGN,
    IDENTITIES,
    KEY,
    QUEUE,
    RECOMMENDATION,
    REVIEWS,
    STREAM,
    TABLE,
    actions,
    allowed,
    deployed,
    every_action,
    statements_of,
)

pytestmark = pytest.mark.one_python

VIA_SQS: Final = "kms:GenerateDataKey kms:Decrypt"
VIA_DYNAMODB: Final = "kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:DescribeKey"
# By identity and the service that calls KMS on its behalf.
KMS_ALLOWED: Final = {
    ("ExecutorPolicy", "sqs"): VIA_SQS,
    ("ConsumerRole", "sqs"): VIA_SQS,
    ("ConsumerRole", "dynamodb"): VIA_DYNAMODB,
    ("KeeperRole", "sqs"): VIA_SQS,
    ("KeeperRole", "dynamodb"): "kms:Decrypt",
    ("ReaderRole", "dynamodb"): "kms:Decrypt",
    ("RedriveRole", "sqs"): VIA_SQS,
    ("ReviewerRole", "dynamodb"): VIA_DYNAMODB,
    ("CuratorRole", "dynamodb"): VIA_DYNAMODB,
    ("EraserRole", "dynamodb"): VIA_DYNAMODB,
    ("EraserRole", "sqs"): "kms:Decrypt",
}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_identity_may_do_exactly_this(identity: str) -> None:
    """Every action of nine services is checked on every resource, including foreign ones."""
    assert allowed(identity, {}, {}) == ALLOWED[identity]


def test_enumeration_of_actions_is_complete() -> None:
    """The tests of identities would prove little if actions were missing."""
    assert {"dynamodb:DeleteTable", "dynamodb:PartiQLDelete", "dynamodb:TransactWriteItems"} <= actions("dynamodb")
    assert {"sqs:PurgeQueue", "sqs:SetQueueAttributes", "sqs:StartMessageMoveTask"} <= actions("sqs")
    assert not {"sqs:SendMessageBatch", "sqs:DeleteMessageBatch"} & actions("sqs")
    used = {action for by_resource in ALLOWED.values() for granted in by_resource.values() for action in granted}
    assert used <= every_action()


@pytest.mark.parametrize(
    ("parameters", "more"),
    [
        ({"ReaderMayScan": "true"}, {"dynamodb:Scan"}),
        ({"CompactIndexes": "true"}, {"dynamodb:BatchGetItem"}),
        ({"ReaderMayScan": "true", "CompactIndexes": "true"}, {"dynamodb:Scan", "dynamodb:BatchGetItem"}),
    ],
    ids=["scan", "compact", "both"],
)
def test_parameters_give_the_reader_one_permission_each_on_the_table_only(
    parameters: Mapping[str, str], more: set[str]
) -> None:
    """Nobody else gets anything."""
    for identity in IDENTITIES:
        expected = dict(ALLOWED[identity])
        if identity == "ReaderRole":
            expected[TABLE] |= more
        assert allowed(identity, parameters, {}) == expected


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("via", ["sqs", "dynamodb", "s3", ""])
def test_customer_managed_key_is_used_only_through_the_services_that_need_it(identity: str, via: str) -> None:
    """No identity uses it directly or through another service, or uses another key."""
    context = {"kms:ViaService": f"{via}.us-east-1.amazonaws.com"} if via else {}
    expected = {**ALLOWED[identity], KEY: frozenset(KMS_ALLOWED.get((identity, via), "").split())}
    actual = allowed(identity, {"KmsKeyArn": KEY}, context)
    assert actual == {resource: granted for resource, granted in expected.items() if granted}


@pytest.mark.parametrize("key", [{}, {"KmsKeyArn": KEY}], ids=["without a key", "with a key"])
def test_archive_bucket_lets_the_keeper_write_files_and_the_eraser_rewrite_them(key: Mapping[str, str]) -> None:
    """The keeper can neither read nor delete what it archived, and nobody else gets anything."""
    via_s3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    for identity in IDENTITIES:
        expected = dict(ALLOWED[identity])
        if identity == "KeeperRole":
            expected[ARCHIVE] = frozenset({"s3:PutObject"})
            if key:
                expected[KEY] = frozenset({"kms:GenerateDataKey"})
        if identity == "EraserRole":
            expected[ARCHIVE] = frozenset({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"})
            if key:
                expected[KEY] = frozenset({"kms:GenerateDataKey", "kms:Decrypt"})
        assert allowed(identity, {"ArchiveBucketArn": EVERY_OPTION["ArchiveBucketArn"], **key}, via_s3) == expected


def test_each_critical_permission_belongs_to_one_identity() -> None:
    """Only the consumer writes recommendations, only the eraser deletes any, and only operators read them."""
    parameters = {**EVERY_OPTION, "NameSuffix": ""}
    granted = {identity: allowed(identity, parameters, RECOMMENDATION) for identity in IDENTITIES}

    def holders(resource: str, *actions_of_interest: str) -> set[str]:
        wanted = set(actions_of_interest)
        return {identity for identity in IDENTITIES if wanted & granted[identity].get(resource, frozenset())}

    writes = {"PutItem", "BatchWriteItem", "UpdateItem", "PartiQLInsert", "PartiQLUpdate"}
    deletions = {"dynamodb:DeleteItem", "dynamodb:PartiQLDelete"}
    reads = {"GetItem", "BatchGetItem", "Query", "Scan", "PartiQLSelect", "ExportTableToPointInTime"}
    assert holders(TABLE, *(f"dynamodb:{name}" for name in writes)) == {"ConsumerRole"}
    assert holders(TABLE, *(f"dynamodb:{name}" for name in reads)) == {
        *("ReaderRole", "CuratorRole", "ReviewerRole", "EraserRole"),
    }
    assert holders(TABLE, *deletions) == {"EraserRole"}
    assert holders(AGENT_INDEX, "dynamodb:Query") == {"ReaderRole", "CuratorRole", "ReviewerRole"}
    assert holders(REVIEWS, *(f"dynamodb:{name}" for name in writes)) == {"ReviewerRole"}
    assert holders(REVIEWS, *(f"dynamodb:{name}" for name in reads)) == {
        *("ReaderRole", "ReviewerRole", "EraserRole"),
    }
    assert holders(REVIEWS, *deletions) == {"EraserRole"}
    assert holders(QUEUE, "sqs:ReceiveMessage", "sqs:DeleteMessage") == {"ConsumerRole"}
    assert holders(QUEUE, "sqs:SendMessage") == {"ExecutorPolicy", "RedriveRole"}
    assert holders(DEAD, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:StartMessageMoveTask") == {
        "RedriveRole",
        "EraserRole",
    }
    assert holders(DEAD, "sqs:StartMessageMoveTask") == {"RedriveRole"}
    assert holders(DEAD, "sqs:SendMessage") == {"ConsumerRole", "KeeperRole"}
    assert holders(STREAM, "dynamodb:GetRecords") == {"KeeperRole"}
    assert holders(ARCHIVE, *every_action()) == {"KeeperRole", "EraserRole"}
    assert not any(granted["KeeperRole"].get(resource) for resource in (TABLE, QUEUE))
    for resource in (QUEUE, DEAD, FAILURES):
        assert not holders(resource, "sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:AddPermission")
    for resource in FOREIGN:
        assert not holders(resource, *every_action()), resource


@pytest.mark.parametrize("parameters", [{}, EVERY_OPTION], ids=["default", "every option"])
def test_every_policy_is_of_an_identity_that_is_judged(parameters: Mapping[str, str]) -> None:
    """What another role or the policy itself attached, or another type of policy gave, would be judged by no test."""
    resources = deployed(parameters)
    kinds = {resource["Type"] for resource in resources.values() if resource["Type"].startswith("AWS::IAM::")}
    assert kinds == {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}
    roles = {name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"}
    assert roles - {"BackupRole"} == {name for name in IDENTITIES if name != "ExecutorPolicy"}
    attaching = {
        name for name, resource in resources.items() if {"Roles", "Users", "Groups"} & resource["Properties"].keys()
    }
    assert attaching <= {"ExecutorPolicy"}  # to the executor's role, which has nothing else of this stack
    backup = resources.get("BackupRole", {"Properties": {"ManagedPolicyArns": []}})["Properties"]
    assert "Policies" not in backup
    assert all(":iam::aws:policy/" in arn for arn in backup["ManagedPolicyArns"])


@pytest.mark.parametrize("parameters", [{}, EVERY_OPTION], ids=["default", "every option"])
@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_identity_has_a_wildcard(identity: str, parameters: Mapping[str, str]) -> None:
    """Only three ARNs end in one: a log group's, because Lambda names its streams, the archive's files, and alarms."""
    for statement in statements_of(identity, parameters):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        assert not [action for action in listed(statement["Action"]) if "*" in action or "?" in action]
        function = "keeper" if identity == "KeeperRole" else "consumer"
        streams = f"log-group:/aws/lambda/opx-recommendations{parameters.get('NameSuffix', '')}-{function}:*"
        files = f"{parameters.get('ArchiveBucketArn')}/incidents/*"
        ends = (streams, files, ":alarm:*")
        assert not [arn for arn in listed(statement["Resource"]) if "*" in arn and not arn.endswith(ends)]


def listed(value: Any) -> list[str]:
    """Return one or more strings as a list."""
    return [value] if isinstance(value, str) else list(value)
