"""What stands in for AWS: MiniStack's queues and dynalite's table. Why these two: docs/decisions/0011-chaos.md."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3

from infra.local import ports
from infra.local.emulator import Emulator, end_group
from shared.item import PARTITION_KEY
from tests.queue_proxy import create_queues

TABLE: Final = "opx-agent-recommendations"
_PROGRAM: Final = Path("tests", "conformance", "node_modules", "dynalite", "cli.js")
_END_WITH_PARENT: Final = "process.stdin.resume().on('end', () => process.exit()); require(process.argv[1])"
_HEAP: Final = "--max-old-space-size=6144"  # MiB; it keeps 50,000 items in memory, and node's own bound may be 2 GiB
_START: Final = 30.0  # seconds


class EngineError(RuntimeError):
    """An engine is missing or does not start; the message says what to do."""


class Engines(NamedTuple):
    """Where they listen, and what was made there."""

    sqs_url: str
    dynamodb_url: str
    sqs: Any
    queue_url: str
    dlq_url: str


@contextlib.contextmanager
def running_engines(folder: Path, visibility: int) -> Iterator[Engines]:
    """Start both and make queues and table; they end with the block, or with this process."""
    emulated = folder / "ministack"
    emulated.mkdir()
    emulator = Emulator(emulated)
    try:
        emulator.start(ports.choose(0))
        with _dynalite(folder / "dynalite.log") as dynamodb_url:
            sqs = boto3.client("sqs", endpoint_url=emulator.endpoint_url)
            queue_url, dlq_url = create_queues(sqs, "opx-recommendations")
            sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": str(visibility)})
            # Without its indexes: they would cost a third more time, and prove nothing here.
            boto3.client("dynamodb", endpoint_url=dynamodb_url).create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
            )
            yield Engines(emulator.endpoint_url, dynamodb_url, sqs, queue_url, dlq_url)
    finally:
        emulator.stop()


@contextlib.contextmanager
def _dynalite(log: Path) -> Iterator[str]:
    beside = Path(sys.prefix, "bin", "node")
    node = str(beside) if beside.exists() else shutil.which("node")
    if node is None or not _PROGRAM.exists():
        raise EngineError("dynalite or Node.js is missing. Run `make setup` and this in the project's folder.")
    port = ports.choose(0)
    options = ["--host", ports.HOST, "--port", str(port), "--createTableMs", "0"]
    command = [node, _HEAP, "--disable-proto=delete", "-e", _END_WITH_PARENT, str(_PROGRAM.absolute()), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - node and dynalite, our own arguments
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + _START
        while "listening" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise EngineError(f"dynalite does not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield f"http://{ports.HOST}:{port}"
    finally:
        end_group(process.pid)
        process.communicate()
