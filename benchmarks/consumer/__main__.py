"""What storing a recommendation costs, beside the usual ways: `python -m benchmarks.consumer --help`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from benchmarks.consumer import cpu, sandbox
from benchmarks.consumer.events import FEW, PROSE, event_text, facts
from benchmarks.support import command
from benchmarks.support.aws_stub import running_stub


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: `records` is the size of the event whose memory is, `starts` counts cold starts."""

    cpu: cpu.Plan
    records: int
    starts: int


PLAN: Final = Plan(cpu.Plan(repetitions=5, batches=(20, 9, 1)), records=860, starts=11)
QUICK: Final = Plan(cpu.Plan(repetitions=1, batches=(1, 0, 0)), records=50, starts=1)
FULL_BODY: Final = 7_000  # bytes
PACKAGES: Final = ("aioboto3", "aws-lambda-powertools", "boto3", "orjson", "pydantic")
TARGETS: Final = {cpu.ASYNC: 8, cpu.LOW_LEVEL: 5}  # times our CPU, at least, for what agents give
EPILOG: Final = """\
Each row is a process of its own and handles the same events, in turn with the others; a stub in yet another process
answers every request with success. CPU is user and system time of all threads from event to response. A figure is
the median of all repetitions, a ratio that of the ratios within each. Memory is above the process that has handled a
small batch; the event, parsed, counts. "Few leaves" is an execution's simplest output, lengthened to 5 KB, "many
leaves" a usual one; "prose only" is simpler than any recorded one of that size.
"""


def run(plan: Plan, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Measure everything and return the report that is printed and written."""
    measured = cpu.measure(plan.cpu, lambda share: progress("CPU", share))
    with running_stub(cpu.LATENCY) as url:
        small, full = event_text(FEW, 25), event_text(FEW, plan.records, FULL_BODY)
        memory = sandbox.memory(url, small, full)
        cold = sandbox.cold_starts(url, event_text(FEW, 10), plan.starts, lambda share: progress("start", share))
    return {
        "machine": command.machine(PACKAGES),
        "items": {kind: facts(kind) for kind in cpu.KINDS},
        "unit": "microseconds of CPU per record",
        "rows": [
            {
                "name": row.name,
                "includes": row.includes,
                "cpu": [
                    {
                        "kind": kind,
                        "records": size,
                        "p50": median(measured[row.name, kind, size]),
                        "times": cpu.times(measured[row.name, kind, size], measured[cpu.OURS, kind, size]),
                    }
                    for kind in cpu.KINDS
                    for size in cpu.SIZES
                    if (row.name, kind, size) in measured
                ],
            }
            for row in cpu.ROWS
        ],
        "flat": {
            kind: cpu.times(measured[cpu.OURS, kind, 860], measured[cpu.OURS, kind, 100])
            for kind in cpu.KINDS
            if (cpu.OURS, kind, 860) in measured
        },
        "memory": {"records": plan.records, **memory},
        "starts": {"repetitions": plan.starts, "unit": "milliseconds", **cold},
    }


def table(report: Mapping[str, Any]) -> str:
    """Return the CPU per record as a Markdown table; in brackets, how many times ours it is."""
    ours = report["rows"][0]["cpu"]
    columns = [f"{one['kind']}, {one['records']}" for one in ours]
    lines = [f"| µs of CPU a record | {' | '.join(columns)} | includes |", f"|---|{'--:|' * len(columns)}---|"]
    for row in report["rows"]:
        cells = [f"{one['p50']:,.0f} ({one['times']:.1f})" for one in row["cpu"]]
        lines.append(f"| {row['name']} | {' | '.join(cells)} | {row['includes']} |")
    return "\n".join(lines)


def findings(report: Mapping[str, Any]) -> str:
    """Return what else was measured, a line each, beside the goal that there is for it."""
    memory, cold = report["memory"], report["starts"]
    lines = [
        f"CPU a record, 860 to 100 records, {kind}: {ratio:.2f} (goal: 0.85 to 1.15)"
        for kind, ratio in report["flat"].items()
    ]
    lines += [
        f"{row['name']}, 860 records, {one['kind']}: {one['times']:.1f} times ours{_goal(row['name'], one['kind'])}"
        for row in report["rows"]
        for one in row["cpu"]
        if row["name"] in TARGETS and one["records"] == cpu.SIZES[-1]
    ]
    event = memory["eventBytes"] / 1e6
    lines += (
        f"peak memory, {memory['records']} records of {FULL_BODY:,} bytes, {event:.1f} MB of event:",
        f"  {memory['rss']:.2f} times the event by RSS (goal: 3), {memory['heap']:.2f} by tracemalloc",
        f"  of which the parsed event itself {memory['event']:.2f}",
        f"cold start: {cold['start']:.0f} ms, {cold['ratio']:.2f} times aioboto3 with a client (goal: 1.15)",
        f"what a snapshot leaves: {cold['first']:.0f} ms for the first invocation, then {cold['second']:.0f}",
    )
    return "\n".join(lines)


def _goal(row: str, kind: str) -> str:
    return "" if kind == PROSE else f" (goal: {TARGETS[row]})"


def _show_progress(what: str, share: float) -> None:
    print(f"\r{what:<6}{'█' * round(share * 40):<40}{share:4.0%}", end="" if share < 1 else "\n", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; returns the process' exit code."""
    options = command.options(
        arguments,
        name="consumer",
        description="Measure what storing a 5 KB recommendation costs: CPU, memory, start.",
        epilog=EPILOG,
        quick="a batch of each",
    )
    progress = _show_progress if sys.stderr.isatty() else lambda _what, _share: None
    report = run(QUICK if options.quick else PLAN, progress)
    machine = report["machine"]
    print(f"Python {machine['python']}, {machine['cpus']} CPUs, load {machine['load']:.1f}")
    for kind, one in report["items"].items():
        print(f"{kind}: {one['leaves']} in a body of {one['bytes']:,} bytes")
    print(f"\n{table(report)}\n\n{findings(report)}")
    command.write(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
