"""CPU per record: every consumer in a process of its own, all of them in turn."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import mean, median
from typing import Any, Final

from benchmarks.consumer import rows
from benchmarks.consumer.events import FEW, MANY, PROSE, event_text
from benchmarks.support.aws_stub import running_stub

LATENCY: Final = 0.0005  # seconds; it costs no CPU, and only the rows that wait for each request would take longer
KINDS: Final = (PROSE, FEW, MANY)
SIZES: Final = (10, 100, 860)  # records; 860 of 5 KB fill a Lambda invocation's 6 MB


@dataclass(frozen=True, slots=True)
class Row:
    """A consumer, and what it does beyond reading the records and writing them."""

    name: str
    includes: str
    open: Callable[[], rows.Handle]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many repetitions, and how many batches of each size (in the order of `SIZES`) in each.

    Caches and clocks are cold after a pause, so sizes compare only where about as many records follow it.
    """

    repetitions: int
    batches: Sequence[int]


OURS: Final = "ours"
ASYNC: Final = "aioboto3 batch_writer"
LOW_LEVEL: Final = "boto3 low-level"
_CHECKED: Final = "Powertools, pydantic, ttl"
ROWS: Final = (
    Row(OURS, "validation, ID check, duplicates, digest, ttl, metrics, log lines, retries", rows.ours),
    Row("boto3 put_item", "Powertools, ttl; one request a record", rows.put_item),
    Row("boto3 batch_writer", _CHECKED, rows.batch_writer),
    Row(ASYNC, f"{_CHECKED}; loop and connections kept", rows.async_batch_writer),
    Row(LOW_LEVEL, f"{_CHECKED}, TypeSerializer, sends again what came back", rows.low_level),
    Row(f"{LOW_LEVEL}, unchecked", "the same without botocore's parameter validation", rows.low_level_unchecked),
)

# (row, kind, size) -> µs of CPU a record, one figure for each repetition: the mean of its batches.
Measured = dict[tuple[str, str, int], list[float]]


def times(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how many times the other one is: the median of the repetitions' ratios.

    What was measured within seconds is compared: machines that others share run at one speed now, at another later.
    """
    return median(mine / theirs for mine, theirs in zip(one, other, strict=True))


def measure(plan: Plan, progress: Callable[[float], None]) -> Measured:
    """Measure every row in turn; `progress` is told the share that is done."""
    measured: Measured = {}
    texts = {(kind, size): event_text(kind, size) for kind in KINDS for size in SIZES}
    with ExitStack() as stack:
        url = stack.enter_context(running_stub(LATENCY))
        workers = {row.name: stack.enter_context(_worker(row, url)) for row in ROWS}
        for worker in workers.values():  # a process' first request is dearer
            worker.send((texts[FEW, SIZES[0]], 1))
        for worker in workers.values():
            worker.recv()
        done, total = 0, plan.repetitions * len(KINDS) * sum(map(bool, plan.batches)) * len(ROWS)
        for _ in range(plan.repetitions):
            for kind in KINDS:
                for size, batches in zip(SIZES, plan.batches, strict=True):
                    for name, worker in workers.items() if batches else ():
                        worker.send((texts[kind, size], batches))
                        measured.setdefault((name, kind, size), []).append(mean(worker.recv()))
                        done += 1
                        progress(done / total)
    return measured


@contextmanager
def _worker(row: Row, url: str) -> Iterator[Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(row, url, theirs), daemon=True)
    process.start()
    theirs.close()  # so that a worker that died is an EOFError here, not a wait for ever
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def _work(row: Row, url: str, connection: Connection) -> None:
    """Handle batches as they are asked for."""
    rows.play_lambda(url)
    handle = row.open()
    while True:
        try:
            text, batches = connection.recv()
        except EOFError:
            os._exit(0)  # no word of connections that are still open: Lambda ends a sandbox no more gently
        size = len(json.loads(text)["Records"])
        connection.send([_time(handle, text) / size / 1000 for _ in range(batches)])


def _time(handle: rows.Handle, text: str) -> int:
    """Return the nanoseconds of CPU, user and system, of all threads. The garbage collector stays on.

    The event is parsed anew each time, as Lambda's runtime does, before the clock runs.
    """
    event: dict[str, Any] = json.loads(text)
    start = time.process_time_ns()
    response: Mapping[str, Any] = handle(event)
    spent = time.process_time_ns() - start
    if response != {"batchItemFailures": []}:
        raise RuntimeError(f"the row measured failures, not writes: {response}")
    return spent
