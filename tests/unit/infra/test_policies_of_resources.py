"""Who may assume the roles, and what the policies of the queues, the topic and the key allow or deny."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.paths import ROOT
from infra.synthesis.synthesize import EVERY_OPTION
from tests.support.iam.identities import DEAD, FAILURES, KEY, QUEUE, allowed, deployed, statements_of
from tests.support.iam.policy import Request, Statement, decide

pytestmark = pytest.mark.one_python


def trusted(identity: str, parameters: Mapping[str, str]) -> Any:
    """Return the principal that may assume a role."""
    document = deployed(parameters)[identity]["Properties"]["AssumeRolePolicyDocument"]
    (statement,) = document["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
    return statement["Principal"]


def test_roles_can_be_assumed_only_by_the_named_principals() -> None:
    """Lambda assumes the functions'; this account, or the principal of a parameter, assumes the operators'."""
    account = {"AWS": "123456789012"}  # which IAM reads as arn:aws:iam::123456789012:root
    for identity in ("ConsumerRole", "KeeperRole"):
        assert trusted(identity, EVERY_OPTION) == {"Service": "lambda.amazonaws.com"}
    for identity in ("ReaderRole", "RedriveRole", "CuratorRole", "ReviewerRole", "EraserRole"):
        parameter = f"{identity.removesuffix('Role')}PrincipalArn"
        assert trusted(identity, {}) == account
        assert trusted(identity, {parameter: "arn:aws:iam::123456789012:role/x"}) == {
            "AWS": "arn:aws:iam::123456789012:role/x"
        }


def resource_policies(parameters: Mapping[str, str]) -> Iterator[Statement]:
    """Yield the statements of the queue and topic policies."""
    for resource in deployed(parameters).values():
        if resource["Type"] in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("identity", ["ExecutorPolicy", "ConsumerRole", "KeeperRole", "RedriveRole"])
def test_every_call_to_a_queue_without_tls_is_denied(identity: str) -> None:
    """Without TLS, an identity's other permissions do not count."""
    statements = [*statements_of(identity, {}), *resource_policies({})]
    permissions = allowed(identity, {}, {})
    queues = {QUEUE, DEAD, FAILURES} & permissions.keys()
    assert queues
    for queue in queues:
        for action in permissions[queue]:
            for secure, decision in (("true", "allowed"), ("false", "denied")):
                context = {"aws:SecureTransport": secure}
                assert decide(statements, Request(action, queue, context)) == decision


@pytest.mark.parametrize(
    ("principal", "account", "secure", "decision"),
    [
        ("cloudwatch.amazonaws.com", "123456789012", "true", "allowed"),
        ("cloudwatch.amazonaws.com", "999999999999", "true", "denied"),
        ("cloudwatch.amazonaws.com", "123456789012", "false", "denied"),
        ("events.amazonaws.com", "123456789012", "true", "denied"),
    ],
)
def test_only_this_accounts_alarms_may_publish_to_the_topic(
    principal: str, account: str, secure: str, decision: str
) -> None:
    """Otherwise another account's alarm could page the on-call engineer."""
    statements = list(resource_policies({"AlarmEmail": "on-call@example.com"}))
    topic = "arn:aws:sns:us-east-1:123456789012:opx-recommendations-alarms"
    context = {"aws:SourceAccount": account, "aws:SecureTransport": secure}
    assert decide(statements, Request("sns:Publish", topic, context, principal)) == decision


@pytest.mark.parametrize(
    ("principal", "action", "log_group", "decision"),
    [
        ("logs.us-east-1.amazonaws.com", "kms:GenerateDataKey", "opx-recommendations-consumer", "allowed"),
        ("logs.us-east-1.amazonaws.com", "kms:Decrypt", "opx-recommendations-consumer", "allowed"),
        ("logs.us-east-1.amazonaws.com", "kms:Decrypt", "opx-recommendations-keeper", "allowed"),
        ("logs.us-east-1.amazonaws.com", "kms:Decrypt", "opx-incidents", "denied"),
        ("logs.us-east-1.amazonaws.com", "kms:ScheduleKeyDeletion", "opx-recommendations-consumer", "denied"),
        ("cloudwatch.amazonaws.com", "kms:GenerateDataKey", None, "allowed"),
        ("cloudwatch.amazonaws.com", "kms:Decrypt", None, "allowed"),
        ("cloudwatch.amazonaws.com", "kms:DisableKey", None, "denied"),
        ("events.amazonaws.com", "kms:Decrypt", None, "denied"),
        ("arn:aws:iam::123456789012:root", "kms:CreateGrant", None, "allowed"),
        ("arn:aws:iam::999999999999:root", "kms:Decrypt", None, "denied"),
    ],
)
def test_documented_key_policy_allows_what_it_says(
    principal: str, action: str, log_group: str | None, decision: str
) -> None:
    """Whoever copies it must not find out in production that something is missing."""
    page = (ROOT / "docs" / "decisions" / "0013-infrastructure.md").read_text()
    statements = json.loads(page.partition("```json\n")[2].partition("```")[0])["Statement"]
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/{log_group}"
    context = {} if log_group is None else {"kms:EncryptionContext:aws:logs:arn": arn}
    assert decide(statements, Request(action, KEY, context, principal)) == decision
