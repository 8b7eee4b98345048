"""A consumer process: the real handler behind a poller that treats the queue as Lambda's poller does.

Run as `python -m tests.chaos.pipeline.consumer_process PLAN`, with the environment from `processes.environment`.
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
from recommendation_shared.limits import SQS_BATCH_ENTRIES
from tests.chaos.pipeline.broken_consumers import broken
from tests.chaos.pipeline.plan import Plan
from tests.support.lambdas.event import record, redelivered

_WAIT: Final = 1  # seconds of a long poll
_JUMP_AFTER: Final = 2.0  # seconds
_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=_WAIT + 4, retries={"mode": "standard", "total_max_attempts": 3}
)

Handler = Callable[[Any, Any], Any]


class Invocation:
    """Lambda's context object for one invocation, with a remaining time that runs down."""

    def __init__(self, timeout: float) -> None:
        self.aws_request_id = str(uuid4())
        self._end = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return max(0, int((self._end - time.monotonic()) * 1000))


class Poller:
    """Receives messages, invokes the function, and deletes those that it did not return as batch item failures.

    Like Lambda, it deletes nothing if the function raises or returns an undocumented response, and at the function's
    timeout it ends the sandbox, which is this process.
    """

    def __init__(self, plan: Plan, sqs: Any, queue_url: str, invoke: Handler) -> None:
        self._plan = plan
        self._sqs = sqs
        self._queue_url = queue_url
        self._invoke = invoke

    def poll(self) -> None:
        """Handle one batch, if there are messages."""
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
        failed = redelivered(response, event)
        self._delete([message for message in messages if message["MessageId"] not in failed])

    def _receive(self) -> Sequence[Mapping[str, Any]]:
        """Fill a batch until a receive returns fewer messages than it could."""
        messages: list[Mapping[str, Any]] = []
        while len(messages) < self._plan.batch:
            try:
                received = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=SQS_BATCH_ENTRIES,
                    WaitTimeSeconds=0 if messages else _WAIT,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
            except (ClientError, BotoCoreError):
                break
            messages += received
            if len(received) < SQS_BATCH_ENTRIES:
                break
        return messages

    def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(messages), SQS_BATCH_ENTRIES):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[start : start + SQS_BATCH_ENTRIES])
            ]
            try:
                self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (ClientError, BotoCoreError):
                continue  # they are redelivered, as after a failed delete by Lambda


def _record(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **record(message["MessageId"], message["Body"]),
        "receiptHandle": message["ReceiptHandle"],
        "attributes": message["Attributes"],
    }


def _let_clock_jump(seconds: float) -> None:
    """Let this process's clock jump in the middle of its work: the next sandbox's wall time is off by so much."""
    real, jumps_at = time.time, time.monotonic() + _JUMP_AFTER
    time.time = lambda: real() + (seconds if time.monotonic() > jumps_at else 0)


def main() -> None:
    """Poll until killed, with the plan from the command line."""
    _let_clock_jump(float(os.environ["CHAOS_CLOCK_JUMP"]))
    plan = Plan.from_json(sys.argv[1])
    sqs = boto3.client("sqs", config=_CONFIG)
    poller = Poller(plan, sqs, os.environ["RECOMMENDATIONS_QUEUE_URL"], broken(plan.broken, handler))
    while True:
        poller.poll()


if __name__ == "__main__":
    main()
