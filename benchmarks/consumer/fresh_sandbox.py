"""Cold start, first invocations and peak memory, each measured in a fresh process.

The measured process runs this module too. It imports little besides what it measures, because memory that a process
has freed before would hide a peak.
"""

import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.consumer import implementations
from benchmarks.support.lambda_runtime import LambdaContext

# Each measurement imports its subject while the clock runs.
# ruff: noqa: PLC0415

Result = dict[str, float]


def measure(name: str, url: str, *events: str) -> Result:
    """Run one of `MEASUREMENTS` in a new process, with these events as Lambda's runtime would receive them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.consumer.fresh_sandbox", name, url],
        input="".join(f"{event}\n" for event in events),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: Result = json.loads(done.stderr.splitlines()[0])
    return result


def cold_starts(url: str, event: str, repetitions: int, progress: Callable[[float], None]) -> Mapping[str, float]:
    """Return the medians in milliseconds, ours and aioboto3's measured in turn, and the median of their ratios."""
    runs: list[Result] = []
    for done in range(repetitions):
        runs.append({**measure("aioboto3", url), **measure("start", url, event, event)})
        progress((done + 1) / repetitions)
    medians = {name: median(run[name] for run in runs) for name in runs[0]}
    return {**medians, "ratio": median(run["start"] / run["aioboto3"] for run in runs)}


def memory(url: str, small: str, full: str) -> Mapping[str, float]:
    """Return the event's size in bytes, and the peaks above the idle process as multiples of it.

    The idle process has handled the small event but not yet received the full one, which therefore counts. Once
    parsed, its bodies take two bytes per character, because some characters are not Latin-1. `rss` is the peak as the
    kernel saw it, `heap` as tracemalloc saw Python's own allocations.
    """
    size = len(full.encode())
    rss, heap = (measure(name, url, small, full) for name in ("rss", "heap"))
    return {
        "eventBytes": size,
        "rss": rss["peak"] / size,
        "heap": heap["peak"] / size,
        "event": heap["event"] / size,
    }


def _start() -> Result:
    """Time the import of the handler, which creates its client in Lambda, and the first two invocations."""
    began = time.perf_counter()
    from recommendation_consumer.handler import handler

    times = {"start": time.perf_counter() - began}
    for name in ("first", "second"):
        event = json.loads(sys.stdin.readline())
        began = time.perf_counter()
        handler(event, LambdaContext())
        times[name] = time.perf_counter() - began
    return {name: seconds * 1000 for name, seconds in times.items()}


def _aioboto3() -> Result:
    """Time the import of aioboto3 and its first DynamoDB client."""
    began = time.perf_counter()
    import asyncio

    import aioboto3

    asyncio.Runner().run(aioboto3.Session().client("dynamodb").__aenter__())
    return {"aioboto3": (time.perf_counter() - began) * 1000}


def _rss() -> Result:
    handle = _idle()
    idle = _status("VmRSS")
    event = _event()
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM (Linux, proc(5))
    handle(event)
    return {"peak": _status("VmHWM") - idle}


def _heap() -> Result:
    handle = _idle()
    tracemalloc.start()
    event = _event()
    parsed = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    handle(event)
    return {"peak": tracemalloc.get_traced_memory()[1], "event": parsed}


def _idle() -> implementations.Handle:
    handle = implementations.ours()
    handle(_event())
    gc.collect()
    return handle


def _event() -> dict[str, Any]:
    event: dict[str, Any] = json.loads(sys.stdin.readline())
    return event


def _status(name: str) -> int:
    """Return a field of /proc/self/status in bytes; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024


MEASUREMENTS: Final = {"start": _start, "aioboto3": _aioboto3, "rss": _rss, "heap": _heap}

if __name__ == "__main__":
    implementations.play_lambda(sys.argv[2])
    print(json.dumps(MEASUREMENTS[sys.argv[1]]()), file=sys.stderr, flush=True)
    os._exit(0)  # without warnings about open connections; Lambda ends a sandbox no more gently
