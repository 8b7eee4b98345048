"""The rows without a producer: the executor calls AWS itself and waits. Both call the stub."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import boto3

from benchmarks.producer.latency import Subject
from benchmarks.support.aws_stub import running_stub

_TABLE = "opx-agent-recommendations"


@contextmanager
def send_message(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield a direct `send_message` with the recommendation as JSON."""
    recommendation = fields["recommendation"]
    with running_stub() as url:
        sqs = _session().client("sqs", endpoint_url=url)
        queue_url = f"{url}/000000000000/opx-recommendations"
        yield Subject(lambda: sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(recommendation)))


@contextmanager
def batch_writer(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield the write of one item through `Table.batch_writer`, followed by one `put_metric_data`."""
    with running_stub() as url:
        table = _session().resource("dynamodb", endpoint_url=url).Table(_TABLE)
        cloudwatch = _session().client("cloudwatch", endpoint_url=url)

        def write() -> None:
            # boto3 refuses floats, so whoever writes agent output has to convert them.
            content = json.loads(json.dumps(fields["recommendation"]), parse_float=Decimal)
            with table.batch_writer() as batch:
                batch.put_item(Item={"recommendationId": "rec-1", "recommendation": content})
            cloudwatch.put_metric_data(
                Namespace="OPX/Recommendations",
                MetricData=[{"MetricName": "RecommendationsPersisted", "Value": 1.0, "Unit": "Count"}],
            )

        yield Subject(write)


def _session() -> boto3.Session:
    # Fake credentials, given explicitly so that the machine's own configuration is not read.
    return boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1")  # noqa: S106
