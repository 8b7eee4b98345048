"""Proof that the deployed stack works: one recommendation through the queue into the table, and out of it again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from infra.errors import StackError
from infra.local.depth import depth
from recommendation_shared.envelope import Envelope

INCIDENT_ID = "local-stack-canary"

_TIMEOUT: Final = 150.0  # seconds; a cold start takes about two, and this leaves time for two failed invocations
# Longer than the function's timeout. SQS then never delivers the canary again while an invocation still holds
# it, and no late invocation can store it once it was deleted, however slow the machine is.
VISIBILITY_TIMEOUT: Final = "45"  # seconds


def wait_until_consumed(
    client: Callable[[str], Any], queue_url: str, dlq_url: str, table_name: str, check: Callable[[], None]
) -> None:
    """Send a recommendation and wait until it is stored; delete it from the table and wait until the keeper keeps it.

    Both queues must be empty, and are again. `check` is called while waiting, and raises if waiting is pointless.
    Raises `StackError` if the canary is not consumed, or not kept, in time.
    """
    envelope = Envelope.create(
        incident_id=INCIDENT_ID,
        execution_id=INCIDENT_ID,
        agent_type="canary",
        timestamp=datetime.now(UTC),
        recommendation={},
        retention=1,
    )
    sqs, dynamodb = client("sqs"), client("dynamodb")
    item = {"TableName": table_name, "Key": {"recommendationId": {"S": envelope.recommendation_id}}}
    deadline = time.monotonic() + _TIMEOUT

    def wait_until(reached: Callable[[], bool], what: str) -> None:
        while not reached():
            check()
            if time.monotonic() > deadline:
                raise StackError(f"The {what} the canary within {_TIMEOUT:.0f} s")
            time.sleep(0.05)

    with _delivered_to_one_invocation_at_a_time(sqs, queue_url):
        sqs.send_message(QueueUrl=queue_url, MessageBody=envelope.to_json().decode())
        wait_until(lambda: "Item" in dynamodb.get_item(**item, ConsistentRead=True), "consumer has not stored")
        wait_until(lambda: depth(sqs, queue_url) == 0, "consumer has not acknowledged")
    dynamodb.delete_item(**item)
    wait_until(lambda: _deleted_one_message(sqs, dlq_url), "keeper has not kept")


def _deleted_one_message(sqs: Any, queue_url: str) -> bool:
    messages = sqs.receive_message(QueueUrl=queue_url).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return bool(messages)


@contextmanager
def _delivered_to_one_invocation_at_a_time(sqs: Any, queue_url: str) -> Iterator[None]:
    name = "VisibilityTimeout"
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={name: VISIBILITY_TIMEOUT})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={name: attributes[name]})
