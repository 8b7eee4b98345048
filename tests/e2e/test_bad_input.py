"""Bad input through the whole pipeline is stored, or stored trimmed and marked, or dead-lettered with a reason.

Each bad message is sent once, in one request with two good ones; the tests check where every message ended up.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local import LocalStack
from infra.local.depth import depth
from recommendation_shared import limits
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.encoding import decode_item, item_digest
from recommendation_shared.item.size import item_size

pytestmark = pytest.mark.stack

WAIT = 90.0  # seconds; the redrive policy moves a message after five receives, 5 s apart
INCIDENT = "incident-bad-input"


def _good(name: str, **changes: Any) -> dict[str, Any]:
    """Return the fields of a valid envelope with an ID that no other test uses."""
    fields: dict[str, Any] = {
        "incident_id": INCIDENT,
        "execution_id": name,
        "agent_type": f"agent-{name}",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "recommendation": {"action": "roll back"},
    }
    envelope: dict[str, Any] = json.loads(write_envelope(**{**fields, **changes}).body)
    return envelope


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"leaf": 7}
    for _ in range(levels - 1):
        value = {"n": value}
    return value


BODIES: dict[str, str] = {
    "not-json": "roll back, quickly",
    "wrong-types": json.dumps({**_good("wrong-types"), "recommendation": "roll back", "citations": 7}),
    "empty-id": json.dumps({**_good("empty-id"), "incidentId": ""}),
    "huge-id": json.dumps({**_good("huge-id"), "incidentId": "i" * 2000}),
    "control-id": json.dumps({**_good("control-id"), "executionId": "a\u0007b"}),
    "other-id": json.dumps({**_good("other-id"), "recommendationId": "rec-of-somebody-else"}),
    "newer-schema": json.dumps({**_good("newer-schema"), "schemaVersion": 2}),
    "deep": json.dumps(_good("deep", recommendation=_nested(33))),
    "digits": json.dumps(_good("digits", recommendation={"n": 10**38 + 1})),
    "huge": json.dumps(_good("huge", recommendation={"log": "é" * 450_000}), ensure_ascii=False),
    "odd-confidence": json.dumps({**_good("odd-confidence"), "confidence": 87}),
}
BY_HAND = json.dumps({name: value for name, value in _good("by-hand").items() if name not in {"metadata", "citations"}})


@dataclass
class Outcome:
    """Where every message ended up."""

    items: dict[str, Any]  # by execution ID, in DynamoDB JSON
    dead: dict[str, Any]  # dead letters by the name of the case
    neighbours: int


@pytest.fixture(scope="module")
def outcome(stack: LocalStack) -> Outcome:
    """Send everything, and wait until the queue is empty."""
    sqs, dynamodb = stack.client("sqs"), stack.client("dynamodb")
    sent: dict[str, str] = {}
    for name, body in BODIES.items():
        bodies = [json.dumps(_good(f"{name}-before")), body, json.dumps(_good(f"{name}-after"))]
        entries = [{"Id": str(n), "MessageBody": each} for n, each in enumerate(bodies)]
        answer = sqs.send_message_batch(QueueUrl=stack.queue_url, Entries=entries)
        assert answer.get("Failed", []) == []
        sent[next(entry["MessageId"] for entry in answer["Successful"] if entry["Id"] == "1")] = name
    _send_by_hand(stack)
    dead: dict[str, Any] = {}
    deadline = time.monotonic() + WAIT
    while depth(sqs, stack.queue_url) and time.monotonic() < deadline:
        time.sleep(0.5)
    while messages := sqs.receive_message(
        QueueUrl=stack.dlq_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=60,
        MessageAttributeNames=["All"],
    ).get("Messages"):
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            original = attributes.get("originalMessageId", {}).get("StringValue", message["MessageId"])
            assert original in sent, "an unexpected dead letter"
            dead[sent[original]] = message
            sqs.delete_message(QueueUrl=stack.dlq_url, ReceiptHandle=message["ReceiptHandle"])
    pages = dynamodb.get_paginator("query").paginate(
        TableName=stack.table_name,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :i",
        ExpressionAttributeValues={":i": {"S": INCIDENT}},
    )
    items = {item["executionId"]["S"]: item for page in pages for item in page["Items"]}
    neighbours = sum(name.endswith(("-before", "-after")) for name in items)
    return Outcome(items, dead, neighbours)


def _send_by_hand(stack: LocalStack) -> None:
    """Send one message with the AWS CLI, as a person would."""
    aws = Path(f"{sys.prefix}-stack", "bin", "aws")
    command = [str(aws), "sqs", "send-message", "--endpoint-url", stack.endpoint_url, "--queue-url", stack.queue_url]
    environment = stack.environment(os.environ)
    subprocess.run([*command, "--message-body", BY_HAND], env=environment, check=True, capture_output=True)


def test_the_other_messages_of_every_batch_are_stored(outcome: Outcome) -> None:
    """A poison message does not hold back its neighbours."""
    assert outcome.neighbours == 2 * len(BODIES)


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("not-json", "InvalidJson", "body: must be JSON"),
        ("wrong-types", "InvalidEnvelope", "recommendation: must be an object; citations: must be a list of objects"),
        ("empty-id", "InvalidEnvelope", "incidentId: must be 1 to 1024 bytes of UTF-8"),
        ("huge-id", "InvalidEnvelope", "incidentId: must be 1 to 1024 bytes of UTF-8"),
        ("control-id", "InvalidEnvelope", "executionId: must not contain control characters"),
        ("other-id", "IdMismatch", "recommendationId: must be the ID derived from incidentId, agentType and timestamp"),
    ],
)
def test_poison_is_a_dead_letter_with_its_reason(outcome: Outcome, name: str, reason: str, detail: str) -> None:
    """Its body is unchanged, so that it can be repaired and sent again."""
    message = outcome.dead[name]
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert attributes["failureReason"] == reason
    assert attributes["failureDetail"] == detail
    assert attributes["sourceQueueArn"].endswith(":opx-recommendations")
    assert message["Body"] == BODIES[name]
    assert name not in outcome.items


def test_a_newer_schema_version_is_retried_and_ends_as_a_dead_letter(outcome: Outcome) -> None:
    """The redrive policy moves it after five receives, so that it can be redriven after a deployment."""
    assert outcome.dead["newer-schema"]["Body"] == BODIES["newer-schema"]
    assert "MessageAttributes" not in outcome.dead["newer-schema"]


def test_33_levels_are_stored_with_the_deepest_as_text(outcome: Outcome) -> None:
    """DynamoDB's limit is 32 levels."""
    value, levels = outcome.items["deep"]["recommendation"], 0
    while "M" in value:
        (value,) = value["M"].values()
        levels += 1
    assert levels == limits.CONTAINER_LEVELS
    assert json.loads(value["S"]) == {"n": {"leaf": 7}}


def test_39_digits_are_stored_as_text(outcome: Outcome) -> None:
    """DynamoDB's limit is 38 digits."""
    assert outcome.items["digits"]["recommendation"]["M"]["n"] == {"S": str(10**38 + 1)}


def test_900_kb_are_stored_trimmed_and_marked(outcome: Outcome) -> None:
    """DynamoDB's limit is 400 KB."""
    item = outcome.items["huge"]
    assert item_size(item) <= limits.ITEM_BYTES
    stored = decode_item(item)
    assert stored["metadata"]["truncated"][0]["path"] == "/recommendation/log"
    assert stored["metadata"]["truncated"][0]["bytes"] == 900_000
    assert stored["recommendation"]["log"].endswith("… [cut: 900000 bytes in all]")


def test_an_odd_confidence_is_preserved_as_text_in_the_metadata(outcome: Outcome) -> None:
    """The agent's original value is not lost."""
    assert outcome.items["odd-confidence"]["confidence"] == {"NULL": True}
    assert outcome.items["odd-confidence"]["metadata"]["M"]["rawConfidence"] == {"S": "87"}


def test_a_message_sent_by_hand_is_stored(outcome: Outcome) -> None:
    """Optional fields may be omitted."""
    assert decode_item(outcome.items["by-hand"])["recommendation"] == {"action": "roll back"}


def test_every_stored_item_has_its_digest(outcome: Outcome) -> None:
    """Trimmed items and items with converted values have one too."""
    assert {item_digest(item) == item["contentDigest"]["S"] for item in outcome.items.values()} == {True}
