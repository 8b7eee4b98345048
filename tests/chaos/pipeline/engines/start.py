"""Start the engines: MiniStack's queues and dynalite's table. Why these two: docs/decisions/0011-chaos.md."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3

from infra.local import ports
from infra.local.dynalite import running_dynalite
from infra.local.emulator import Emulator
from recommendation_shared.item.encoding import PARTITION_KEY
from tests.support.servers.queue_proxy import create_queues

TABLE: Final = "opx-agent-recommendations"
_HEAP: Final = "--max-old-space-size=6144"  # MiB, for 50,000 items in memory; node's default limit may be 2 GiB


class Engines(NamedTuple):
    """The running engines, with a client and the queues created there."""

    sqs_url: str
    dynamodb_url: str
    sqs: Any
    queue_url: str
    dlq_url: str


@contextlib.contextmanager
def running_engines(folder: Path, visibility: int) -> Iterator[Engines]:
    """Start both engines and create the queues and the table; they end with the block, or with this process."""
    emulated = folder / "ministack"
    emulated.mkdir()
    emulator = Emulator(emulated)
    try:
        emulator.start(ports.choose(0))
        with running_dynalite(folder / "dynalite.log", _HEAP) as dynamodb_url:
            sqs = boto3.client("sqs", endpoint_url=emulator.endpoint_url)
            queue_url, dlq_url = create_queues(sqs, "opx-recommendations")
            sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": str(visibility)})
            # Without the indexes, which would take a third more time and prove nothing here.
            boto3.client("dynamodb", endpoint_url=dynamodb_url).create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
            )
            yield Engines(emulator.endpoint_url, dynamodb_url, sqs, queue_url, dlq_url)
    finally:
        emulator.stop()
