"""A consumer process: the real handler, behind a poller that does what Lambda's does with a queue.

`python -m tests.chaos.pipeline.poller PLAN`, with the environment that `processes` makes.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.handler import handler
from tests.chaos.pipeline.broken import broken
from tests.chaos.pipeline.plan import Plan
from tests.support.lambdas.event import record, redelivered

_MOST: Final = 10  # messages of one request, SQS's limit
_WAIT: Final = 1  # seconds of a long poll
_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=_WAIT + 4, retries={"mode": "standard", "total_max_attempts": 3}
)

Handler = Callable[[Any, Any], Any]


class Invocation:
    """Lambda's context for one invocation, whose time runs out."""

    def __init__(self, timeout: float) -> None:
        self.aws_request_id = str(uuid4())
        self._end = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class Poller:
    """Receives, invokes, and deletes what was not named as a failure.

    As Lambda does: nothing is deleted when the function raises or answers in a form that is not documented, and an
    invocation that is over its time ends with its sandbox, which is this process.
    """

    def __init__(self, plan: Plan, sqs: Any, queue_url: str, invoke: Handler) -> None:
        self._plan = plan
        self._sqs = sqs
        self._queue_url = queue_url
        self._invoke = invoke

    def poll(self) -> None:
        """Handle one batch, if there is any."""
        messages = self._receive()
        if not messages:
            return
        event = {"Records": [_record(message) for message in messages]}
        signal.setitimer(signal.ITIMER_REAL, self._plan.function_timeout)  # SIGALRM kills
        try:
            response = self._invoke(event, Invocation(self._plan.function_timeout))
        except Exception:  # noqa: BLE001 - whatever the function raises, Lambda deletes nothing
            return
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        kept = redelivered(response, event)
        self._delete([message for message in messages if message["MessageId"] not in kept])

    def _receive(self) -> Sequence[Mapping[str, Any]]:
        """Fill a batch, until the queue gives less than it was asked for."""
        messages: list[Mapping[str, Any]] = []
        while len(messages) < self._plan.batch:
            try:
                answer = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=_MOST,
                    WaitTimeSeconds=0 if messages else _WAIT,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
            except (ClientError, BotoCoreError):
                break
            messages += answer.get("Messages", [])
            if len(answer.get("Messages", [])) < _MOST:
                break
        return messages

    def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(messages), _MOST):
            some = messages[start : start + _MOST]
            entries = [{"Id": str(index), "ReceiptHandle": one["ReceiptHandle"]} for index, one in enumerate(some)]
            try:
                self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (ClientError, BotoCoreError):
                continue  # they come back, as they do from Lambda's own failed deletes


def _record(message: Mapping[str, Any]) -> dict[str, Any]:
    made = record(message["MessageId"], message["Body"])
    return {**made, "receiptHandle": message["ReceiptHandle"], "attributes": message["Attributes"]}


def main() -> None:
    """Poll for ever, with the plan from the command line."""
    plan = Plan.from_json(sys.argv[1])
    sqs = boto3.client("sqs", config=_CONFIG)
    poller = Poller(plan, sqs, os.environ["RECOMMENDATIONS_QUEUE_URL"], broken(plan.broken, handler))
    while True:
        poller.poll()


if __name__ == "__main__":
    main()
