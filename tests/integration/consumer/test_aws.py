"""The handler against a table and queues over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import boto3
import pytest

from recommendation_consumer.handler import handler, sandbox
from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.encoding import decode_item, encode_item, item_digest
from tests.support.fakes.recommendation_table import create_table
from tests.support.lambdas.event import QUEUE_ARN, Context, event, named
from tests.support.lambdas.event import bodies as bodies_of
from tests.support.lambdas.event import body as body_of

# Here the clock is the real one, so nothing may expire.
body, bodies = partial(body_of, retention=None), partial(bodies_of, retention=None)


@dataclass
class Deployment:
    """A table and a dead-letter queue, and the handler's environment that names them."""

    table: str
    dlq_url: str
    dynamodb: Any
    sqs: Any

    def items(self) -> list[dict[str, Any]]:
        """Return all items."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table)
        return [item for page in pages for item in page["Items"]]

    def dead_letters(self) -> list[dict[str, Any]]:
        """Take the dead letters."""
        found = self.sqs.receive_message(QueueUrl=self.dlq_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return list(found.get("Messages", []))


@pytest.fixture
def deployment(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Make a table and a queue, and a sandbox for the handler that is closed afterwards."""
    dynamodb, sqs = (boto3.client(service, endpoint_url=moto_server) for service in ("dynamodb", "sqs"))
    name = f"consumer-{uuid4().hex}"
    create_table(dynamodb, name)
    dlq_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    monkeypatch.setenv("RECOMMENDATIONS_TABLE", name)
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", dlq_url)
    sandbox.cache_clear()
    yield Deployment(name, dlq_url, dynamodb, sqs)
    if sandbox.cache_info().currsize:
        runner, clients, _ = sandbox()
        runner.run(clients.close())
        runner.close()
    sandbox.cache_clear()
    dynamodb.delete_table(TableName=name)
    sqs.delete_queue(QueueUrl=dlq_url)
    dynamodb.close()
    sqs.close()


def test_a_batch_is_stored_as_it_was_sent(deployment: Deployment) -> None:
    """Every field, and a digest that fits."""
    texts = [*bodies(60, confidence=0.1, citations=[{"url": "https://example.com"}]), body(reasoning="schön 🔥")]
    assert handler(event(*texts), Context()) == {"batchItemFailures": []}
    items = deployment.items()
    assert len(items) == 61
    assert all(item_digest(item) == item["contentDigest"]["S"] for item in items)
    sent = {encode_item(read_envelope(text)) for text in texts}
    assert {encode_item(read_envelope(canonical_text(decode_item(item)))) for item in items} == sent


def test_a_warm_sandbox_stores_the_next_batch_too(deployment: Deployment) -> None:
    """Over the same loop and connections."""
    for number in range(3):
        assert handler(event(body(f"agent-{number}")), Context()) == {"batchItemFailures": []}
    assert len(deployment.items()) == 3


def test_a_redelivered_batch_changes_nothing(deployment: Deployment) -> None:
    """Lambda calls twice now and then."""
    handler(event(*bodies(30)), Context())
    before = deployment.items()
    assert len(before) == 30
    handler(event(*bodies(30)), Context())
    assert sorted(map(str, deployment.items())) == sorted(map(str, before))


def test_poison_lands_in_the_dead_letter_queue_with_its_reason(deployment: Deployment) -> None:
    """And what is good in its batch in the table."""
    texts = [body("first"), "hello from the console", body("second"), json.dumps({"schemaVersion": 1})]
    assert handler(event(*texts), Context()) == {"batchItemFailures": []}
    assert len(deployment.items()) == 2
    letters = {letter["Body"]: letter["MessageAttributes"] for letter in deployment.dead_letters()}
    assert set(letters) == {texts[1], texts[3]}
    attributes = {name: value["StringValue"] for name, value in letters[texts[1]].items()}
    assert attributes == {
        "failureReason": "InvalidJson",
        "failureDetail": "body: must be JSON",
        "originalMessageId": "m1",
        "sourceQueueArn": QUEUE_ARN,
    }
    assert "incidentId" in letters[texts[3]]["failureDetail"]["StringValue"]


def test_a_missing_table_raises_and_a_missing_queue_is_reported(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one concerns all messages, the other only the poison."""
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", deployment.dlq_url + "-gone")
    assert named(handler(event(body(), "poison"), Context())) == ["m1"]
    deployment.dynamodb.delete_table(TableName=deployment.table)
    with pytest.raises(NothingStoredError, match="ResourceNotFoundException"):
        handler(event(body(), "poison"), Context())
    create_table(deployment.dynamodb, deployment.table)  # for the fixture to delete
