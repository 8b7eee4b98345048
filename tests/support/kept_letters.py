"""The keeper's dead letters on the local stack, which a test that changes the table must take out again."""

import time
from typing import Any, Final

from infra.local import LocalStack
from recommendation_shared.queue.dead_letter import FAILURE_REASON

_WAIT: Final = 60.0  # seconds; on a busy machine, the keeper's cold start alone takes several


def take_letters(stack: LocalStack, reason: str, number: int = 1) -> list[dict[str, Any]]:
    """Delete that many dead letters with this reason, once they have arrived, and return them; leave all others."""
    sqs = stack.client("sqs")
    taken: list[dict[str, Any]] = []
    deadline = time.monotonic() + _WAIT
    while len(taken) < number:
        stack.check()
        assert time.monotonic() < deadline, f"{len(taken)} of {number} dead letters {reason} after {_WAIT:.0f} s"
        answer = sqs.receive_message(
            QueueUrl=stack.dlq_url,
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=1,
            WaitTimeSeconds=1,
        )
        for message in answer.get("Messages", ()):
            if message.get("MessageAttributes", {}).get(FAILURE_REASON, {}).get("StringValue") == reason:
                sqs.delete_message(QueueUrl=stack.dlq_url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(message)
    return taken
