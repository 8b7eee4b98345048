"""Time single calls, and summarise many of them as percentiles."""

import gc
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

PAUSE: Final = 0.003  # seconds between isolated calls; by then every worker thread sleeps
BLOCK: Final = 20  # calls, about a millisecond
PERCENTILES: Final = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}

Summary = dict[str, float]  # microseconds by the names of PERCENTILES


@dataclass(frozen=True, slots=True)
class Subject:
    """A row's timed `call`. `settle` waits, untimed, until its worker has nothing left to do."""

    call: Callable[[], Any]
    settle: Callable[[], Any] = lambda: None


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The calls of one repetition: the warm-up, back to back, and one by one with pauses while the worker sleeps."""

    warm_up: int
    burst: int
    isolated: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The nanoseconds of every call, and the burst's multiple of the yardstick."""

    burst: list[int]
    isolated: list[int]
    ratio: float


def measure(subject: Subject, counts: CallCounts, yardstick: Callable[[], Any]) -> Measured:
    """Time every call. The garbage collector stays on.

    The ratio is that of the medians of neighbouring blocks, one of the yardstick and one of the subject: after it has
    slept, as in `settle`, a virtual CPU runs at half speed for some 10 to 300 ms, and a burst takes 50.
    """
    gc.collect()  # so that this subject does not pay for the garbage of the last one
    _time_calls(subject.call, counts.warm_up, 0.0)
    subject.settle()
    burst, ratios = [], []
    for done in range(0, counts.burst, BLOCK):
        beside = _time_calls(yardstick, BLOCK, 0.0)
        block = _time_calls(subject.call, min(BLOCK, counts.burst - done), 0.0)
        burst += block
        ratios.append(median(block) / median(beside))
    subject.settle()
    isolated = _time_calls(subject.call, counts.isolated, PAUSE)
    subject.settle()
    return Measured(burst, isolated, median(ratios))


def _time_calls(call: Callable[[], Any], count: int, pause: float) -> list[int]:
    clock = time.perf_counter_ns
    times = []
    for _ in range(count):
        if pause:
            time.sleep(pause)
        start = clock()
        call()
        times.append(clock() - start)
    return times


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest value that at least `percent` % of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent * len(ordered) / 100) - 1)]


def summary(repetitions: Sequence[Sequence[int]]) -> Summary:
    """Return, for each percentile, the median over the repetitions, in microseconds."""
    return {
        name: median(percentile(times, percent) for times in repetitions) / 1000
        for name, percent in PERCENTILES.items()
    }
