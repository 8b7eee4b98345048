"""CPU per record: every consumer runs in its own process, and all of them take turns."""

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

from benchmarks.consumer import implementations
from benchmarks.consumer.events import FEW, MANY, PROSE, event_text
from benchmarks.support.aws_stub import running_stub

LATENCY: Final = 0.0005  # seconds; costs no CPU, and a longer one only slows the rows that wait for each request
KINDS: Final = (PROSE, FEW, MANY)
SIZES: Final = (10, 100, 860)  # records; 860 of 5 KB fill a Lambda invocation's 6 MB


@dataclass(frozen=True, slots=True)
class Contender:
    """A consumer, and what it does besides reading and writing the records."""

    name: str
    includes: str
    open: Callable[[], implementations.Handle]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The number of repetitions, and of batches of each size (in the order of `SIZES`) in each repetition.

    Caches and clocks are cold after a pause, so sizes compare only if about as many records follow each pause.
    """

    repetitions: int
    batches: Sequence[int]


OURS: Final = "ours"
ASYNC: Final = "aioboto3 batch_writer"
LOW_LEVEL: Final = "boto3 low-level"
_CHECKED: Final = "Powertools, pydantic, ttl"
CONTENDERS: Final = (
    Contender(OURS, "validation, ID check, duplicates, digest, ttl, metrics, log lines, retries", implementations.ours),
    Contender("boto3 put_item", "Powertools, ttl; one request per record", implementations.put_item),
    Contender("boto3 batch_writer", _CHECKED, implementations.batch_writer),
    Contender(ASYNC, f"{_CHECKED}; reuses its loop and connections", implementations.async_batch_writer),
    Contender(LOW_LEVEL, f"{_CHECKED}, TypeSerializer, resends unprocessed items", implementations.low_level),
    Contender(
        f"{LOW_LEVEL}, unchecked",
        "the same without botocore's parameter validation",
        implementations.low_level_unchecked,
    ),
)

# (contender, kind, size) -> µs of CPU per record, one figure per repetition: the mean over its batches.
Measured = dict[tuple[str, str, int], list[float]]


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the repetitions' ratios.

    Only figures measured within seconds of each other are compared, because a shared machine changes its speed.
    """
    return median(one / other for one, other in zip(numerators, denominators, strict=True))


def measure(schedule: Schedule, progress: Callable[[float], None]) -> Measured:
    """Measure all contenders in turn; `progress` receives the share that is done."""
    measured: Measured = {}
    texts = {(kind, size): event_text(kind, size) for kind in KINDS for size in SIZES}
    with ExitStack() as stack:
        url = stack.enter_context(running_stub(LATENCY))
        workers = {row.name: stack.enter_context(_worker(row, url)) for row in CONTENDERS}
        for worker in workers.values():  # the first request of a process costs more
            worker.send((texts[FEW, SIZES[0]], 1))
        for worker in workers.values():
            worker.recv()
        done, total = 0, schedule.repetitions * len(KINDS) * sum(map(bool, schedule.batches)) * len(CONTENDERS)
        for _ in range(schedule.repetitions):
            for kind in KINDS:
                for size, batches in zip(SIZES, schedule.batches, strict=True):
                    for name, worker in workers.items() if batches else ():
                        worker.send((texts[kind, size], batches))
                        measured.setdefault((name, kind, size), []).append(mean(worker.recv()))
                        done += 1
                        progress(done / total)
    return measured


@contextmanager
def _worker(contender: Contender, url: str) -> Iterator[Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(contender, url, theirs), daemon=True)
    process.start()
    theirs.close()  # so that a dead worker raises EOFError here instead of blocking forever
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def _work(contender: Contender, url: str, connection: Connection) -> None:
    """Handle batches on request until the connection is closed."""
    implementations.play_lambda(url)
    handle = contender.open()
    while True:
        try:
            text, batches = connection.recv()
        except EOFError:
            os._exit(0)  # without warnings about open connections; Lambda ends a sandbox no more gently
        size = len(json.loads(text)["Records"])
        connection.send([_time(handle, text) / size / 1000 for _ in range(batches)])


def _time(handle: implementations.Handle, text: str) -> int:
    """Return the nanoseconds of CPU, user and system, of all threads. The garbage collector stays on.

    The event is parsed before the clock starts, as Lambda's runtime does.
    """
    event: dict[str, Any] = json.loads(text)
    start = time.process_time_ns()
    response: Mapping[str, Any] = handle(event)
    spent = time.process_time_ns() - start
    if response != {"batchItemFailures": []}:
        raise RuntimeError(f"the row measured failures, not writes: {response}")
    return spent
