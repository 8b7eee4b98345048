"""Proof that the poller consumes: one recommendation through the queue into the table."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from infra.local.errors import StackError
from recommendation_shared.envelope.model import Envelope

INCIDENT_ID = "local-stack-canary"

_TIMEOUT = 60.0  # seconds; the function's cold start takes about two


def wait_until_consumed(
    client: Callable[[str], Any], queue_url: str, table_name: str, check: Callable[[], None]
) -> None:
    """Send a recommendation, wait until it is stored, and delete it.

    `check` is called while waiting, and raises when waiting is in vain. Raises `StackError` if the
    canary is not stored in time.
    """
    envelope = Envelope.create(
        incident_id=INCIDENT_ID,
        execution_id=INCIDENT_ID,
        agent_type="canary",
        timestamp=datetime.now(UTC),
        recommendation={},
        retention=1,
    )
    dynamodb = client("dynamodb")
    key = {"recommendationId": {"S": envelope.recommendation_id}}
    client("sqs").send_message(QueueUrl=queue_url, MessageBody=envelope.to_json().decode())
    deadline = time.monotonic() + _TIMEOUT
    while "Item" not in dynamodb.get_item(TableName=table_name, Key=key, ConsistentRead=True):
        check()
        if time.monotonic() > deadline:
            raise StackError(f"The consumer has not stored the canary within {_TIMEOUT:.0f} s")
        time.sleep(0.05)
    dynamodb.delete_item(TableName=table_name, Key=key)
