"""Measure CPU, memory and cold starts, and print the report as a table with its findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from benchmarks.consumer import cpu, fresh_sandbox
from benchmarks.consumer.events import FEW, PROSE, event_text, facts
from benchmarks.support import command
from benchmarks.support.aws_stub import running_stub


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: CPU by `cpu`, memory for an event of `records`, and `starts` cold starts."""

    cpu: cpu.Schedule
    records: int
    starts: int


FULL_BODY: Final = 7_000  # bytes
PACKAGES: Final = ("aioboto3", "aws-lambda-powertools", "boto3", "orjson", "pydantic")
GOALS: Final = {cpu.ASYNC: 8, cpu.LOW_LEVEL: 5}  # at least this many times our CPU, for recorded agent output


def run(scale: Scale, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Measure everything and return the report."""
    measured = cpu.measure(scale.cpu, lambda share: progress("CPU", share))
    with running_stub(cpu.LATENCY) as url:
        small, full = event_text(FEW, 25), event_text(FEW, scale.records, FULL_BODY)
        memory = fresh_sandbox.memory(url, small, full)
        cold = fresh_sandbox.cold_starts(url, event_text(FEW, 10), scale.starts, lambda share: progress("start", share))
    return {
        "machine": command.machine(PACKAGES),
        "items": {kind: facts(kind) for kind in cpu.KINDS},
        "unit": "microseconds of CPU per record",
        "rows": [
            {
                "name": contender.name,
                "includes": contender.includes,
                "cpu": [
                    {
                        "kind": kind,
                        "records": size,
                        "p50": median(measured[contender.name, kind, size]),
                        "ratio": cpu.median_ratio(measured[contender.name, kind, size], measured[cpu.OURS, kind, size]),
                    }
                    for kind in cpu.KINDS
                    for size in cpu.SIZES
                    if (contender.name, kind, size) in measured
                ],
            }
            for contender in cpu.CONTENDERS
        ],
        "flat": {
            kind: cpu.median_ratio(measured[cpu.OURS, kind, 860], measured[cpu.OURS, kind, 100])
            for kind in cpu.KINDS
            if (cpu.OURS, kind, 860) in measured
        },
        "memory": {"records": scale.records, **memory},
        "starts": {"repetitions": scale.starts, "unit": "milliseconds", **cold},
    }


def table(report: Mapping[str, Any]) -> str:
    """Return the CPU per record as a Markdown table, with each figure's multiple of ours in brackets."""
    columns = [f"{cell['kind']}, {cell['records']}" for cell in report["rows"][0]["cpu"]]
    lines = [f"| µs of CPU per record | {' | '.join(columns)} | includes |", f"|---|{'--:|' * len(columns)}---|"]
    for row in report["rows"]:
        cells = [f"{cell['p50']:,.0f} ({cell['ratio']:.1f})" for cell in row["cpu"]]
        lines.append(f"| {row['name']} | {' | '.join(cells)} | {row['includes']} |")
    return "\n".join(lines)


def findings(report: Mapping[str, Any]) -> str:
    """Return the other measurements, one per line, with the goal where there is one."""
    memory, cold = report["memory"], report["starts"]
    lines = [
        f"CPU per record, 860 records compared with 100, {kind}: {ratio:.2f} (goal: 0.85 to 1.15)"
        for kind, ratio in report["flat"].items()
    ]
    lines += [
        f"{row['name']}, 860 records, {cell['kind']}: {cell['ratio']:.1f} times ours{_goal(row['name'], cell['kind'])}"
        for row in report["rows"]
        for cell in row["cpu"]
        if row["name"] in GOALS and cell["records"] == cpu.SIZES[-1]
    ]
    megabytes = memory["eventBytes"] / 1e6
    lines += (
        f"peak memory for {memory['records']} records of {FULL_BODY:,} bytes, an event of {megabytes:.1f} MB:",
        f"  {memory['rss']:.2f} times the event by RSS (goal: 3), {memory['heap']:.2f} by tracemalloc,",
        f"  of which the parsed event itself is {memory['event']:.2f}",
        f"cold start: {cold['start']:.0f} ms, {cold['ratio']:.2f} times aioboto3 with one client (goal: 1.15)",
        f"with a snapshot: {cold['first']:.0f} ms for the first invocation, then {cold['second']:.0f} ms",
    )
    return "\n".join(lines)


def _goal(name: str, kind: str) -> str:
    return "" if kind == PROSE else f" (goal: {GOALS[name]})"
