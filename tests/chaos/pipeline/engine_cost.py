"""Measure the engines' CPU time per message and per item: `python -m tests.chaos.pipeline.engine_cost`; Linux only."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import boto3

from examples.executor.run import yesterday
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.encoding import encode_item
from tests.chaos.pipeline.engines.start import TABLE, Engines, running_engines
from tests.chaos.pipeline.traffic import PLAIN, Fields, Traffic
from tests.support.fakes.recommendation_table import create_table
from tests.support.no_account import NO_ACCOUNT

_DEPTHS: Final = (3_000, 12_000)  # messages waiting
_RECEIVED: Final = 500
_PUTS: Final = 2_500
_INDEXED: Final = "opx-with-indexes"


def main() -> None:
    """Measure each operation in turn; print the engines' CPU time in milliseconds."""
    os.environ.update(NO_ACCOUNT)
    traffic = Traffic(1, yesterday())
    plain = [number for number in range(3_000) if traffic.kind(number) == PLAIN][:_PUTS]
    envelopes = [next(traffic.enqueued(number)) for number in plain]
    with tempfile.TemporaryDirectory() as folder, running_engines(Path(folder), visibility=600) as engines:
        for line in (*_queue(engines, envelopes), *_tables(engines, envelopes)):
            sys.stdout.write(f"{line}\n")


def _queue(engines: Engines, envelopes: Sequence[Fields]) -> Iterator[str]:
    bodies = [write_envelope(**fields).body.decode() for fields in envelopes[:10]]
    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)]
    sqs, queue_url = engines.sqs, engines.queue_url

    def receive() -> None:
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
        receipts = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(messages)
        ]
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=receipts)

    waiting = 0
    for depth in _DEPTHS:
        sent = _timed(lambda: sqs.send_message_batch(QueueUrl=queue_url, Entries=entries), depth - waiting, 10)
        yield f"MiniStack, send, up to {depth:,} waiting: {sent:.2f} ms per message"
        yield f"MiniStack, receive and delete, {depth:,} waiting: {_timed(receive, _RECEIVED, 10):.2f} ms per message"
        waiting = depth - _RECEIVED


def _tables(engines: Engines, envelopes: Sequence[Fields]) -> Iterator[str]:
    puts = [
        {"PutRequest": {"Item": json.loads(encode_item(read_envelope(write_envelope(**fields).body)).body)}}
        for fields in envelopes
    ]
    for name, url, indexes in (
        ("dynalite", engines.dynamodb_url, False),
        ("dynalite", engines.dynamodb_url, True),
        ("MiniStack", engines.sqs_url, True),
    ):
        dynamodb = boto3.client("dynamodb", endpoint_url=url)
        table = _INDEXED if indexes else TABLE
        if indexes:
            create_table(dynamodb, table)
        batches = iter(range(0, len(puts), 25))
        took = _timed(lambda: _put(dynamodb, table, puts, next(batches)), len(puts), 25)  # noqa: B023 - called here
        yield f"{name}, put {'with the indexes' if indexes else 'without indexes'}: {took:.2f} ms per item"


def _put(dynamodb: Any, table: str, puts: Sequence[Any], start: int) -> None:
    dynamodb.batch_write_item(RequestItems={table: puts[start : start + 25]})


def _timed(call: Callable[[], Any], count: int, per_call: int) -> float:
    """Return the milliseconds of CPU per message or item, for `count` of them with `per_call` in each call."""
    before = _engines_cpu()
    for _ in range(count // per_call):
        call()
    return (_engines_cpu() - before) / count * 1000


def _engines_cpu() -> float:
    """Return the seconds of CPU used so far by the sessions that this process has started."""
    used = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # the process has ended, so it is not an engine's
            # Behind the name, which may contain anything: state, parent, group, session, …, user and system time.
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[3] != str(os.getsid(0)) and _parent(fields[3]) == os.getpid():
                used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def _parent(pid: str) -> int:
    return int(Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
