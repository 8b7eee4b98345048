"""Measure one way in a fresh process: `python -I measure.py WAY STUB OUTPUTS PART LAYER`; prints JSON.

Imports as little as it can, so that the host's own imports are measured. Times are in milliseconds, sizes in bytes.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

WARM = 20  # drains
WINDOW = 1.0  # seconds of the loop


def resident() -> int:
    """Return the resident set size of this process (proc(5), statm)."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - pathlib might be an import more
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Return the wall time and the CPU time of the process, and that of its other threads."""
    wall, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
    work()
    process, thread = time.process_time() - process, time.thread_time() - thread
    return {
        "wall": (time.perf_counter() - wall) * 1000,
        "cpu": process * 1000,
        "others": max(0.0, process - thread) * 1000,
    }


def iterations() -> int:
    """Return how far a loop of pure Python comes in the window."""
    ends = time.perf_counter() + WINDOW
    done = 0
    while time.perf_counter() < ends:
        for _ in range(1000):
            done += 1
    return done


def main() -> None:
    """Measure, and print."""
    name, stub, outputs_path, part, layer = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - as above
    sys.path.append(layer)
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")  # noqa: S106 - a stub's
    from ways import WAYS

    with open(outputs_path) as file:  # noqa: PTH123 - as above
        outputs = json.load(file)
    host: list[Any] = []
    report: dict[str, Any] = {"host": timed(lambda: host.append(_import_boto3()))}
    report["host_client"] = timed(lambda: host.append(host[0].client("dynamodb")))
    resident_before = resident()
    if part == "construct-uncompiled":
        sys.dont_write_bytecode = True
    ways: list[Any] = []
    report["construct"] = timed(lambda: ways.append(WAYS[name](stub)))
    report["construct"]["memory"] = resident() - resident_before
    (way,) = ways

    def invocation() -> None:
        way.hand_over(outputs)
        way.drain()

    if part == "drain":
        report["first"] = timed(invocation)
        report["first"]["memory"] = resident() - resident_before
        warm = [timed(invocation) for _ in range(WARM)]
        report["warm"] = {key: statistics.median(each[key] for each in warm) for key in warm[0]}
        report["warm"]["memory"] = resident() - resident_before
    elif part == "loop":
        before = iterations()
        way.hand_over(outputs)
        beside = iterations()
        way.drain()
        report["slowdown"] = (before + iterations()) / 2 / beside  # the machine's own speed may change meanwhile
    elif part == "throttled":
        print("ready", flush=True)
        sys.stdin.readline()  # until the processor is held back
        report["first"] = timed(invocation)
    report["sent"] = way.sent()
    print(json.dumps(report), flush=True)
    os._exit(0)  # exit hooks are not part of this


def _import_boto3() -> Any:
    import boto3

    return boto3


if __name__ == "__main__":
    main()
