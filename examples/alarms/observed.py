"""What CloudWatch would receive from the local stack: EMF lines, failed invocations and the depths of the queues."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from examples.alarms.evaluation import Point
from infra.local import LocalStack

QUEUES: Final = {
    "Queue": "QueueUrl",
    "DeadLetterQueue": "DeadLetterQueueUrl",
    "KeeperFailureQueue": "KeeperFailureQueueUrl",
}  # resource -> output
_DEPTHS: Final = {  # attribute -> metric
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}
# The emulator logs this, in local time, when a function raises; AWS counts it in the Errors metric of AWS/Lambda.
_FAILED: Final = re.compile(r"(\S+ \S+) WARNING \[lambda\] ESM: Lambda \S+ failed processing")


def logged_points(lines: Iterable[str]) -> Iterator[Point]:
    """Yield the metrics without dimensions in a log, and one error for each failed invocation."""
    for line in lines:
        if failed := _FAILED.match(line):
            yield Point(("AWS/Lambda", "Errors", "Consumer"), datetime.fromisoformat(failed[1]).timestamp(), 1)
        elif line.startswith('{"_aws":'):
            yield from _embedded(json.loads(line))


def _embedded(document: dict[str, Any]) -> Iterator[Point]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        if [] not in directive["Dimensions"]:
            continue
        for metric in directive["Metrics"]:
            value = document[metric["Name"]]
            for number in value if isinstance(value, list) else [value]:
                key = (directive["Namespace"], metric["Name"], "")
                yield Point(key, document["_aws"]["Timestamp"] / 1000, number)


def depth_points(stack: LocalStack, now: float) -> Iterator[Point]:
    """Yield how many messages each queue has. Their age is missing: SQS reports it only to CloudWatch."""
    sqs = stack.client("sqs")
    for resource, output in QUEUES.items():
        answer = sqs.get_queue_attributes(QueueUrl=stack.outputs[output], AttributeNames=list(_DEPTHS))["Attributes"]
        for attribute, metric in _DEPTHS.items():
            yield Point(("AWS/SQS", metric, resource), now, int(answer[attribute]))
