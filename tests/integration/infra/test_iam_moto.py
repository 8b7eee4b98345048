"""The same calls on a second engine that enforces policies: moto, with the synthesized policies attached to users.

Only calls on queues are made: for any call on a table, moto demands permission on every resource.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin

from tests.support.iam.calls import calls, clients_of, expected, observed
from tests.support.iam.identities import ALLOWED, DEAD, QUEUE, statements_of

# Unlike AWS, moto demands an action named after the batch.
BATCHES = {"sqs:SendMessage": "sqs:SendMessageBatch"}


@pytest.fixture(scope="module")
def queues(moto_server: str) -> Iterator[tuple[str, str]]:
    """The URLs of both queues, which are deleted afterwards."""
    sqs = boto3.client("sqs", endpoint_url=moto_server)
    queue, dead = (sqs.create_queue(QueueName=arn.rpartition(":")[2])["QueueUrl"] for arn in (QUEUE, DEAD))
    yield queue, dead
    for url in (queue, dead):
        sqs.delete_queue(QueueUrl=url)
    sqs.close()


def user_with(moto_server: str, identity: str) -> dict[str, str]:
    """Create a user with an identity's policies; return its credentials."""
    iam = boto3.client("iam", endpoint_url=moto_server)
    iam.create_user(UserName=identity)
    statements: list[dict[str, Any]] = []
    for statement in statements_of(identity, {}):
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        batches = [BATCHES[action] for action in actions if action in BATCHES]
        statements.append({**statement, "Action": [*actions, *batches]})
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=identity, PolicyName="inline", PolicyDocument=document)
    key = iam.create_access_key(UserName=identity)["AccessKey"]
    iam.close()
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@pytest.mark.parametrize("identity", ALLOWED)
def test_second_engine_makes_the_same_decisions(
    moto_server: str, queues: tuple[str, str], identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first engine's enforcement is thereby confirmed independently."""
    clients = clients_of(moto_server, user_with(moto_server, identity))
    queue_calls = [call for call in calls(*queues) if call.service == "sqs"]
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
    actual = observed(clients, queue_calls)
    monkeypatch.undo()
    assert actual == expected(ALLOWED[identity], queue_calls)
