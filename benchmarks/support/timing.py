"""Timing one call at a time, and what to report of many."""

import gc
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

PAUSE: Final = 0.003  # seconds between isolated calls: every worker has long gone to sleep
PERCENTILES: Final = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}

Times = dict[str, float]  # microseconds by the names of PERCENTILES


@dataclass(frozen=True, slots=True)
class Subject:
    """One row: `call` is what is timed; `settle` waits, untimed, until its worker has nothing left to do."""

    call: Callable[[], Any]
    settle: Callable[[], Any] = lambda: None


@dataclass(frozen=True, slots=True)
class Plan:
    """How often to call: per repetition, back to back and then one by one with pauses, the worker parked."""

    warm_up: int
    burst: int
    isolated: int


def measure(subject: Subject, plan: Plan) -> dict[str, list[int]]:
    """Return the nanoseconds of every call, under `burst` and `isolated`. The garbage collector stays on."""
    gc.collect()  # the last subject's garbage is not this one's
    _time_calls(subject.call, plan.warm_up, 0.0)
    subject.settle()
    # Before the pauses: a virtual CPU that has just slept runs the next milliseconds at half its speed.
    burst = _time_calls(subject.call, plan.burst, 0.0)
    subject.settle()
    isolated = _time_calls(subject.call, plan.isolated, PAUSE)
    subject.settle()
    return {"burst": burst, "isolated": isolated}


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


def summary(repetitions: Sequence[Sequence[int]]) -> Times:
    """Return, for each percentile, the median over the repetitions, in microseconds."""
    return {
        name: median(percentile(times, percent) for times in repetitions) / 1000
        for name, percent in PERCENTILES.items()
    }
