"""The handler with a table and a dead-letter queue over HTTP (moto)."""

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
from recommendation_shared.item.agent_types import REGISTER
from recommendation_shared.item.encoding import decode_item, encode_item, item_digest
from tests.support.fakes.recommendation_table import create_table
from tests.support.lambdas.event import QUEUE_ARN, Context, event, named
from tests.support.lambdas.event import bodies as bodies_of
from tests.support.lambdas.event import body as body_of

# These tests use the real clock, so no recommendation may expire.
body, bodies = partial(body_of, retention=None), partial(bodies_of, retention=None)


@dataclass
class Deployment:
    """The table and the dead-letter queue that the handler's environment names."""

    table: str
    dlq_url: str
    dynamodb: Any
    sqs: Any

    def items(self) -> list[dict[str, Any]]:
        """Return all recommendations."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table)
        return [item for page in pages for item in page["Items"] if item["agentType"]["S"] != REGISTER]

    def dead_letters(self) -> list[dict[str, Any]]:
        """Receive up to ten dead letters."""
        response = self.sqs.receive_message(
            QueueUrl=self.dlq_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(response.get("Messages", []))


@pytest.fixture
def deployment(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Create a table and a queue, and start the handler in a new sandbox, which is closed afterwards."""
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


def test_batch_is_stored_as_it_was_sent(deployment: Deployment) -> None:
    """Every field is stored, and the digests match."""
    texts = [*bodies(60, confidence=0.1, citations=[{"url": "https://example.com"}]), body(reasoning="schön 🔥")]
    assert handler(event(*texts), Context()) == {"batchItemFailures": []}
    items = deployment.items()
    assert len(items) == 61
    assert all(item_digest(item) == item["contentDigest"]["S"] for item in items)
    sent = {encode_item(read_envelope(text)) for text in texts}
    assert {encode_item(read_envelope(canonical_text(decode_item(item)))) for item in items} == sent


def test_warm_sandbox_stores_the_next_batch_too(deployment: Deployment) -> None:
    """It uses the same event loop and connections."""
    for number in range(3):
        assert handler(event(body(f"agent-{number}")), Context()) == {"batchItemFailures": []}
    assert len(deployment.items()) == 3


def test_redelivered_batch_changes_nothing(deployment: Deployment) -> None:
    """SQS delivers at least once."""
    handler(event(*bodies(30)), Context())
    before = deployment.items()
    assert len(before) == 30
    handler(event(*bodies(30)), Context())
    assert sorted(map(str, deployment.items())) == sorted(map(str, before))


def test_poison_lands_in_the_dead_letter_queue_with_its_reason(deployment: Deployment) -> None:
    """The valid messages of its batch are stored."""
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


def test_missing_table_raises_and_missing_queue_names_the_poison(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing table affects all messages, a missing queue only the poison."""
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", deployment.dlq_url + "-gone")
    assert named(handler(event(body(), "poison"), Context())) == ["m1"]
    deployment.dynamodb.delete_table(TableName=deployment.table)
    with pytest.raises(NothingStoredError, match="ResourceNotFoundException"):
        handler(event(body(), "poison"), Context())
    create_table(deployment.dynamodb, deployment.table)  # so that the fixture can delete it
