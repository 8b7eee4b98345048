"""Real calls by each identity on the local stack, which enforces the deployed template's policies."""

import json
import time
from collections.abc import Iterator

import pytest

from infra.local import LocalStack, local_stack
from tests.support.iam.calls import BODY, EVENTS, INCIDENTS, Call, calls, clients_of, expected, is_allowed, observed
from tests.support.iam.identities import ALLOWED, QUEUE
from tests.support.iam.roles import create_role, session_of

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A stack for this file alone: some identities may delete messages that other tests wait for."""
    with local_stack(port=0) as running:
        for arn in (INCIDENTS, EVENTS):
            running.client("dynamodb").create_table(
                TableName=arn.rpartition("/")[2],
                KeySchema=[{"AttributeName": "recommendationId", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "recommendationId", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield running


@pytest.fixture(scope="module")
def roles(stack: LocalStack) -> dict[str, str]:
    """The ARN of each identity's role."""
    return {
        "ExecutorPolicy": create_role(stack, "executor", stack.outputs["ExecutorPolicyArn"]),
        "ConsumerRole": stack.outputs["ConsumerRoleArn"],
        "KeeperRole": stack.outputs["KeeperRoleArn"],
        "ReaderRole": stack.outputs["ReaderRoleArn"],
        "RedriveRole": stack.outputs["RedriveRoleArn"],
        "CuratorRole": stack.outputs["CuratorRoleArn"],
        "ReviewerRole": stack.outputs["ReviewerRoleArn"],
        "EraserRole": stack.outputs["EraserRoleArn"],
        "nobody": create_role(stack, "nobody"),
    }


@pytest.mark.parametrize("identity", [*ALLOWED, "nobody"])
def test_each_identitys_calls_succeed_and_fail_as_its_policy_says(
    stack: LocalStack, roles: dict[str, str], identity: str
) -> None:
    """Queues, table, indexes and incident tables are tried; `nobody` has no policy, so nothing is allowed."""
    clients = clients_of(stack.endpoint_url, session_of(stack, roles[identity]))
    all_calls = list(calls(stack.queue_url, stack.dlq_url))
    wanted = expected(ALLOWED.get(identity, {}), all_calls)
    assert any(wanted.values()) is (identity != "nobody")
    assert observed(clients, all_calls) == wanted


def test_what_the_executor_sends_is_stored_by_the_consumer(stack: LocalStack, roles: dict[str, str]) -> None:
    """The whole path works with these permissions and no others."""
    clients = clients_of(stack.endpoint_url, session_of(stack, roles["ExecutorPolicy"]))
    call = Call("sqs", "send_message", {"QueueUrl": stack.queue_url, "MessageBody": BODY}, "sqs:SendMessage", QUEUE)
    assert is_allowed(clients, call)
    key = {"recommendationId": {"S": json.loads(BODY)["recommendationId"]}}
    deadline = time.monotonic() + 30
    while "Item" not in stack.client("dynamodb").get_item(TableName=stack.table_name, Key=key):
        stack.check()
        assert time.monotonic() < deadline, "not stored"
        time.sleep(0.1)
