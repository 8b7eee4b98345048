"""Least privilege: what each identity may do of all that AWS knows, decided over the policies that are deployed."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from infra.synthesis.synthesize import EVERY_OPTION
from tests.support.iam.identities import (
    ALLOWED,
    DEAD,
    FOREIGN,
    IDENTITIES,
    KEY,
    QUEUE,
    TABLE,
    actions,
    allowed,
    every_action,
    statements_of,
)

VIA_SQS: Final = "kms:GenerateDataKey kms:Decrypt"
VIA_DYNAMODB: Final = "kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:DescribeKey"
# By the service that calls KMS in the identity's name; "" is the identity itself.
KMS_ALLOWED: Final = {
    ("ExecutorPolicy", "sqs"): VIA_SQS,
    ("ConsumerRole", "sqs"): VIA_SQS,
    ("ConsumerRole", "dynamodb"): VIA_DYNAMODB,
    ("ReaderRole", "dynamodb"): "kms:Decrypt",
    ("RedriveRole", "sqs"): VIA_SQS,
}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_identity_may_do_exactly_this(identity: str) -> None:
    """Of every action of six services on every resource, foreign ones included."""
    assert allowed(identity, {}, {}) == ALLOWED[identity]


def test_enumeration_is_that_of_the_services() -> None:
    """So that the table above cannot pass by being compared with little."""
    assert {"dynamodb:DeleteTable", "dynamodb:PartiQLDelete", "dynamodb:TransactWriteItems"} <= actions("dynamodb")
    assert {"sqs:PurgeQueue", "sqs:SetQueueAttributes", "sqs:StartMessageMoveTask"} <= actions("sqs")
    assert not {"sqs:SendMessageBatch", "sqs:DeleteMessageBatch"} & actions("sqs")
    used = {action for of_one in ALLOWED.values() for some in of_one.values() for action in some}
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
def test_parameters_give_the_reader_one_right_each_on_the_table_alone(
    parameters: Mapping[str, str], more: set[str]
) -> None:
    """And nobody else anything."""
    for identity in IDENTITIES:
        expected = dict(ALLOWED[identity])
        if identity == "ReaderRole":
            expected[TABLE] |= more
        assert allowed(identity, parameters, {}) == expected


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("via", ["sqs", "dynamodb", "s3", ""])
def test_customer_s_key_is_used_through_the_services_that_need_it_alone(identity: str, via: str) -> None:
    """Never by the identity itself, never for another service, and no other key."""
    context = {"kms:ViaService": f"{via}.us-east-1.amazonaws.com"} if via else {}
    expected = {**ALLOWED[identity], KEY: frozenset(KMS_ALLOWED.get((identity, via), "").split())}
    found = allowed(identity, {"KmsKeyArn": KEY}, context)
    assert found == {resource: some for resource, some in expected.items() if some}


def test_each_right_that_matters_belongs_to_one_identity() -> None:
    """Nobody but the consumer receives and writes, nobody but the reader reads, only redrive moves."""
    found = {identity: allowed(identity, {**EVERY_OPTION, "NameSuffix": ""}, {}) for identity in IDENTITIES}

    def holders(resource: str, *wanted: str) -> set[str]:
        return {identity for identity in IDENTITIES if set(wanted) & found[identity].get(resource, frozenset())}

    writes = {"PutItem", "BatchWriteItem", "UpdateItem", "DeleteItem", "PartiQLInsert", "PartiQLUpdate"}
    reads = {"GetItem", "BatchGetItem", "Query", "Scan", "PartiQLSelect", "ExportTableToPointInTime"}
    assert holders(TABLE, *(f"dynamodb:{name}" for name in writes)) == {"ConsumerRole"}
    assert holders(TABLE, *(f"dynamodb:{name}" for name in reads)) == {"ReaderRole"}
    assert holders(QUEUE, "sqs:ReceiveMessage", "sqs:DeleteMessage") == {"ConsumerRole"}
    assert holders(QUEUE, "sqs:SendMessage") == {"ExecutorPolicy", "RedriveRole"}
    assert holders(DEAD, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:StartMessageMoveTask") == {"RedriveRole"}
    assert holders(DEAD, "sqs:SendMessage") == {"ConsumerRole"}
    for resource in (QUEUE, DEAD):
        assert not holders(resource, "sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:AddPermission")
    for resource in FOREIGN:
        assert not holders(resource, *every_action()), resource


@pytest.mark.parametrize("parameters", [{}, EVERY_OPTION], ids=["default", "every option"])
@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_identity_has_a_wildcard(identity: str, parameters: Mapping[str, str]) -> None:
    """The log group's streams are named by Lambda, so that ARN alone ends in one."""
    for statement in statements_of(identity, parameters):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        assert not [one for one in listed(statement["Action"]) if "*" in one or "?" in one]
        streams = f"log-group:/aws/lambda/opx-recommendations{parameters.get('NameSuffix', '')}-consumer:*"
        assert not [one for one in listed(statement["Resource"]) if "*" in one and not one.endswith(streams)]


def listed(value: Any) -> list[str]:
    """Return one or more strings as a list."""
    return [value] if isinstance(value, str) else list(value)
