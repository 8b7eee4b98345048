"""What CloudWatch would get from the local stack: EMF lines of the log, failed invocations, depths of the queues."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from examples.alarms.evaluation import Point
from infra.local import LocalStack

QUEUES: Final = {"Queue": "QueueUrl", "DeadLetterQueue": "DeadLetterQueueUrl"}  # resource -> output
# What the emulator logs, in local time, when an invocation by the mapping raised: in AWS a count of AWS/Lambda Errors.
_FAILED: Final = re.compile(r"(\S+ \S+) WARNING \[lambda\] ESM: Lambda \S+ failed processing")


def logged_points(lines: Iterable[str]) -> Iterator[Point]:
    """Yield the values in a log that count in sums without dimensions, and one error for each failed invocation."""
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
            for one in value if isinstance(value, list) else [value]:
                key = (directive["Namespace"], metric["Name"], "")
                yield Point(key, document["_aws"]["Timestamp"] / 1000, one)


def depth_points(stack: LocalStack, now: float) -> Iterator[Point]:
    """Yield how many messages each queue has. SQS tells their age to CloudWatch alone, so that is missing here."""
    sqs, name = stack.client("sqs"), "ApproximateNumberOfMessages"
    for resource, output in QUEUES.items():
        answer = sqs.get_queue_attributes(QueueUrl=stack.outputs[output], AttributeNames=[name])
        yield Point(("AWS/SQS", f"{name}Visible", resource), now, int(answer["Attributes"][name]))
