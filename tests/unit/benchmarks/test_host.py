"""The host benchmark computes what it claims, runs in a real environment, and holds a processor."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli.measure import cpu_seconds
from benchmarks.host import processor
from benchmarks.host.report import goals, measuring, paired_ratios, table
from benchmarks.host.subject import PYTHON, WAYS
from infra.build.byte_code import interpreter
from infra.errors import BuildError

ROW: dict[str, Any] = {
    "construct_ms": 12.0,
    "first_ms": 60.0,
    "warm_ms": 8.0,
    "first_cpu_ms": 50.0,
    "others_cpu_ms": 45.0,
    "memory": 2 * 1024 * 1024,
    "slowdown": 1.05,
    "held_0.29_ms": 180.0,
    "held_0.29_sent": 7,
    "held_0.145_ms": 400.0,
    "held_0.145_sent": 6,
}
REPORT = {
    "import_boto3_ms": 150.0,
    "layer_bytes": 100 * 1024,
    "ratios": {"import": 0.08, "first": 1.2, "warm": 1.1},
    "rows": [{**ROW, "name": way.name, "title": way.title} for way in WAYS],
}


def test_goals_compare_this_producer_with_boto3() -> None:
    """An envelope that was not sent at a fraction of a processor misses a goal."""
    figures = {name: (figure, limit) for name, figure, limit in goals(REPORT)}
    assert figures["import and construction / import boto3 (CPU)"] == (0.08, 0.1)
    assert figures["first drain / boto3's first client and call"] == (1.2, 1.5)
    assert figures["warm drain / boto3's warm call"] == (1.1, 1.15)
    assert figures["memory over a host that has a boto3 client, MiB"] == (2.0, 3)
    assert figures["layer, KiB"] == (100, 150)
    assert {name for name, (figure, limit) in figures.items() if figure > limit} == {
        "not sent in the first invocation at 0.145 CPU"
    }


def test_ratios_are_taken_between_neighbours() -> None:
    """A machine that halves its speed between two repetitions changes no ratio."""

    def run(ms: float, speed: int) -> dict[str, Any]:
        wall = {"wall": ms * speed}
        return {"first": wall, "warm": wall, "construct": {"cpu": 10 * speed}, "host": {"cpu": 100 * speed}}

    speeds = (1, 2, 1)
    ratios = paired_ratios([run(60, speed) for speed in speeds], [run(50, speed) for speed in speeds])
    assert ratios == pytest.approx({"import": 0.1, "first": 1.2, "warm": 1.2})


def test_table_has_a_row_for_every_way() -> None:
    """A way that was not measured at a fraction of a processor has no figure there."""
    unheld = {key: value for key, value in ROW.items() if not key.startswith("held")}
    rows = [REPORT["rows"][0], {**unheld, "name": "langfuse", "title": "Langfuse's client"}]  # type: ignore[index]  # a list
    lines = table({**REPORT, "rows": rows}).splitlines()
    assert lines[2] == "| this producer | 12.0 | 60.0 | 8.0 | 50.0 (45.0) | 2.0 | 1.05 | 180 (7) | 400 (6) |"
    assert lines[3].endswith("| 1.05 | - | - |")


def test_first_drain_of_the_layer_is_measured_in_a_fresh_process() -> None:
    """With the packages of the lock file, and the seven outputs sent."""
    try:
        interpreter(PYTHON)
    except BuildError:
        pytest.skip(f"Python {PYTHON} is not on this machine")
    with measuring() as (subject, layer_bytes):
        report = subject.measure(WAYS[0], "drain")
        held = subject.measure_held(WAYS[0], 0.5)
    assert report["sent"] == 7 * 21
    assert held["sent"] == 7
    assert min(report[phase][figure] for phase in ("host", "first", "warm") for figure in ("wall", "cpu")) > 0
    assert 0 < layer_bytes < 150 * 1024


@pytest.fixture
def busy() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that takes all it can get of one processor."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the processor time from /proc")
@pytest.mark.parametrize("by", [processor.QUOTA, processor.TURNS])
def test_process_gets_no_more_than_its_share(
    by: str, busy: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the kernel's quota, or stopped in turns where setting one is not allowed."""
    if by == processor.TURNS:
        monkeypatch.setattr(processor, "_GROUPS", Path("/nowhere"))
    with processor.held(busy.pid, 0.2) as means:
        if means != by:
            pytest.skip("this machine does not allow a quota")
        started, used = time.monotonic(), cpu_seconds(busy.pid)
        time.sleep(1)
        share = (cpu_seconds(busy.pid) - used) / (time.monotonic() - started)
    assert share < 0.5  # of 0.2, as a stop may come late on a busy machine
