"""Nothing grows from one invocation to the next: memory, file descriptors, threads, tasks, log keys, event loops."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.consumer.soak import ALLOWED_GROWTH, Result, Sample

FLAT = Sample(0, resident=100_000_000, files=13, threads=1, tasks=0, log_keys=6, loop=1, objects=160_000)


def test_hundreds_of_invocations_of_every_kind_leave_nothing_behind() -> None:
    """They include stored, duplicate, poison, throttled, reset and failed ones; `make soak` runs ten thousand."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.consumer.soak", "--invocations", "500"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["leaks"] == "none"
    for outcome in ("none failed", "some failed", "raised"):
        assert outcome in rows["outcomes"]


def _leaks(**last: Any) -> list[str]:
    samples = [replace(FLAT, invocations=200), replace(FLAT, invocations=1_000, **last)]
    return Result(Counter(), 1.0, samples).leaks


def test_constant_resources_are_not_a_leak() -> None:
    """Nor is memory that the allocator keeps, nor a connection that is being replaced."""
    assert _leaks(resident=FLAT.resident + ALLOWED_GROWTH, files=14) == []


@pytest.mark.parametrize(
    ("last", "name"),
    [
        ({"resident": FLAT.resident + ALLOWED_GROWTH + 1}, "memory"),
        ({"files": 15}, "file descriptors"),
        ({"threads": 2}, "threads"),
        ({"tasks": 1}, "tasks"),
        ({"log_keys": 7}, "log_keys"),
        ({"loop": 2}, "loop"),
    ],
)
def test_growing_resource_is_named(last: dict[str, Any], name: str) -> None:
    """The soak prints it on its last line and fails."""
    assert _leaks(**last) == [name]
