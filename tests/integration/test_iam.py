"""Real calls as each identity, on the local stack, which holds every call to the policies of the deployed template."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local import LocalStack, local_stack
from shared.envelope import Envelope
from tests.executor_role import create_role, session_of
from tests.identities import ALLOWED, DEAD, DYNAMODB, INDEXES, QUEUE, TABLE

pytestmark = pytest.mark.stack

INCIDENTS: Final = f"{DYNAMODB}/opx-incidents"
EVENTS: Final = f"{DYNAMODB}/opx-incident-events"
DENIED: Final = {"AccessDenied", "AccessDeniedException"}
KEY: Final = {"recommendationId": {"S": "rec-of-the-test"}}
ITEM: Final = {
    **KEY,
    **{name: {"S": "of-the-test"} for name in ("incidentId", "executionId", "agentType", "timestamp")},
}
BODY: Final = (
    Envelope.create(
        incident_id="incident-of-the-test",
        execution_id="execution-of-the-test",
        agent_type="knowledge-rag",
        timestamp=datetime(2026, 1, 31, 12, tzinfo=UTC),
        recommendation={"action": "roll back"},
        retention=3650,
    )
    .to_json()
    .decode()
)
# Each sends, hides or deletes nothing that another test would miss: the stack is this file's own.
QUEUE_CALLS: Final[dict[str, dict[str, Any]]] = {
    "send_message": {"MessageBody": BODY},
    "send_message_batch": {"Entries": [{"Id": "1", "MessageBody": BODY}]},
    "receive_message": {"VisibilityTimeout": 0},
    "delete_message": {"ReceiptHandle": "of-the-test"},
    "get_queue_attributes": {"AttributeNames": ["All"]},
    "set_queue_attributes": {"Attributes": {"DelaySeconds": "0"}},
    "purge_queue": {},
    "delete_queue": {},
}
TABLE_CALLS: Final[dict[str, dict[str, Any]]] = {
    "put_item": {"Item": ITEM},
    "get_item": {"Key": KEY},
    "update_item": {"Key": KEY},
    "delete_item": {"Key": KEY},
    "scan": {},
    "describe_table": {},
    "delete_table": {},
}


class Call(NamedTuple):
    """One call; `action` and `resource` are what IAM decides over."""

    service: str
    operation: str
    arguments: dict[str, Any]
    action: str
    resource: str


def calls(stack: LocalStack) -> Iterator[Call]:
    """Yield every operation on every queue and table, the incident tables included."""
    for arn, url in ((QUEUE, stack.queue_url), (DEAD, stack.dlq_url)):
        for operation, arguments in QUEUE_CALLS.items():
            yield Call("sqs", operation, {"QueueUrl": url, **arguments}, _action("sqs", operation), arn)
    for arn in (TABLE, INCIDENTS, EVENTS):
        name = arn.rpartition("/")[2]
        for operation, arguments in TABLE_CALLS.items():
            yield Call("dynamodb", operation, {"TableName": name, **arguments}, _action("dynamodb", operation), arn)
        writes = {"RequestItems": {name: [{"PutRequest": {"Item": ITEM}}]}}
        yield Call("dynamodb", "batch_write_item", writes, "dynamodb:BatchWriteItem", arn)
        reads = {"RequestItems": {name: {"Keys": [KEY]}}}
        yield Call("dynamodb", "batch_get_item", reads, "dynamodb:BatchGetItem", arn)
    for arn in INDEXES:
        index = arn.rpartition("/")[2]
        query = {
            "IndexName": index,
            "KeyConditionExpression": "#key = :value",
            "ExpressionAttributeNames": {"#key": index.partition("-")[0]},
            "ExpressionAttributeValues": {":value": {"S": "of-the-test"}},
        }
        yield Call("dynamodb", "query", {"TableName": stack.table_name, **query}, "dynamodb:Query", arn)


def _action(service: str, operation: str) -> str:
    return f"{service}:{''.join(part.title() for part in operation.removesuffix('_batch').split('_'))}"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A stack of this file's own: some identities may delete messages that others wait for."""
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
        "ReaderRole": stack.outputs["ReaderRoleArn"],
        "RedriveRole": stack.outputs["RedriveRoleArn"],
        "nobody": create_role(stack, "nobody"),
    }


def clients_of(stack: LocalStack, session: dict[str, str]) -> dict[str, Any]:
    """Return clients that call with these credentials, by service."""
    return {
        service: botocore.session.Session().create_client(
            service,
            endpoint_url=stack.endpoint_url,
            region_name=stack.region,
            aws_access_key_id=session["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=session["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=session["AWS_SESSION_TOKEN"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        for service in ("sqs", "dynamodb")
    }


def is_allowed(clients: dict[str, Any], call: Call) -> bool:
    """Make the call; any answer but a refusal of the right counts as allowed."""
    try:
        getattr(clients[call.service], call.operation)(**call.arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in DENIED
    return True


@pytest.mark.parametrize("identity", [*ALLOWED, "nobody"])
def test_each_identity_s_calls_succeed_and_fail_as_its_policy_says(
    stack: LocalStack, roles: dict[str, str], identity: str
) -> None:
    """On queues, table, indexes and incident tables; `nobody` has no policy, and so no right."""
    clients = clients_of(stack, session_of(stack, roles[identity]))
    grants = ALLOWED.get(identity, {})
    made = list(calls(stack))
    expected = {(one.operation, one.resource): one.action in grants.get(one.resource, ()) for one in made}
    assert {(one.operation, one.resource): is_allowed(clients, one) for one in made} == expected
    assert any(expected.values()) is (identity != "nobody")


def test_what_the_executor_sends_is_stored_by_the_consumer(stack: LocalStack, roles: dict[str, str]) -> None:
    """With these rights and no others, the whole way works."""
    clients = clients_of(stack, session_of(stack, roles["ExecutorPolicy"]))
    call = Call("sqs", "send_message", {"QueueUrl": stack.queue_url, "MessageBody": BODY}, "sqs:SendMessage", QUEUE)
    assert is_allowed(clients, call)
    key = {"recommendationId": {"S": json.loads(BODY)["recommendationId"]}}
    deadline = time.monotonic() + 30
    while "Item" not in stack.client("dynamodb").get_item(TableName=stack.table_name, Key=key):
        stack.check()
        assert time.monotonic() < deadline, "not stored"
        time.sleep(0.1)
