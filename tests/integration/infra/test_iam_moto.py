"""The same calls on a second engine that enforces policies: moto, with the synthesized policies as users' own.

Those on the queues only: for any call on a table, moto asks for a right on every resource.
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

# moto, unlike AWS, asks for a right named after the batch.
BATCHES = {"sqs:SendMessage": "sqs:SendMessageBatch"}


@pytest.fixture(scope="module")
def queues(moto_server: str) -> Iterator[tuple[str, str]]:
    """The URLs of both queues; they are gone afterwards."""
    sqs = boto3.client("sqs", endpoint_url=moto_server)
    queue, dead = (sqs.create_queue(QueueName=arn.rpartition(":")[2])["QueueUrl"] for arn in (QUEUE, DEAD))
    yield queue, dead
    for url in (queue, dead):
        sqs.delete_queue(QueueUrl=url)
    sqs.close()


def user_with(moto_server: str, identity: str) -> dict[str, str]:
    """Create a user who has what an identity has; return the credentials."""
    iam = boto3.client("iam", endpoint_url=moto_server)
    iam.create_user(UserName=identity)
    statements: list[dict[str, Any]] = []
    for statement in statements_of(identity, {}):
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        more = [BATCHES[action] for action in actions if action in BATCHES]
        statements.append({**statement, "Action": [*actions, *more]})
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=identity, PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName=identity)["AccessKey"]
    iam.close()
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@pytest.mark.parametrize("identity", ALLOWED)
def test_second_engine_comes_to_the_same_decisions(
    moto_server: str, queues: tuple[str, str], identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the first one's enforcement need not be believed alone."""
    clients = clients_of(moto_server, user_with(moto_server, identity))
    made = [one for one in calls(*queues) if one.service == "sqs"]
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
    found = observed(clients, made)
    monkeypatch.undo()
    assert found == expected(ALLOWED[identity], made)
