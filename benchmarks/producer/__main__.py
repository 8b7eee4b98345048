"""What `enqueue` costs its caller, beside the alternatives: `python -m benchmarks.producer --help`."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.producer import inline, own, stdlib, telemetry
from benchmarks.support import command
from benchmarks.support.recommendation import leaves, typical_fields
from benchmarks.support.timing import PAUSE, PERCENTILES, Plan, Subject, measure, summary

LOCAL: Final = Plan(warm_up=1_000, burst=1_000, isolated=300)
NETWORK: Final = Plan(warm_up=10, burst=100, isolated=50)
QUICK: Final = Plan(warm_up=10, burst=20, isolated=5)
REPETITIONS: Final = 5
YARDSTICK: Final = "json.dumps"
PACKAGES: Final = ("pydantic", "opentelemetry-sdk", "sentry-sdk", "posthog", "boto3")
EPILOG: Final = f"""\
Every call is timed by itself (perf_counter_ns), in bursts (back to back) and isolated (one every {PAUSE * 1000:.0f} ms,
the worker asleep), after a warm-up and with the garbage collector on, as in production. Each repetition runs every
row, so that the machine's moods meet them all. A figure is the median of the repetitions' percentiles.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured: a way to hand over one recommendation, and what the timed call includes."""

    name: str
    includes: str
    open: Callable[[dict[str, Any]], AbstractContextManager[Subject]]
    plan: Plan = LOCAL


ROWS: Final = (
    Row(YARDSTICK, "serialisation of the recommendation alone; kept nowhere", stdlib.json_dumps),
    Row(
        "producer.enqueue",
        "validation, snapshot, serialisation of the whole envelope, queueing; sender running, no-op client",
        own.enqueue,
    ),
    Row(
        "producer.enqueue, sender parked",
        "the same, while the sender waits for answers that do not come",
        own.enqueue_parked,
    ),
    Row("OTel BatchSpanProcessor.on_end", "queueing a reference to a span made before", telemetry.otel_span),
    Row("OTel BatchLogRecordProcessor.on_emit", "queueing a reference to a record made before", telemetry.otel_log),
    Row(
        "OTel on_emit, body json.dumps",
        "snapshot and serialisation by json.dumps, making the record, queueing",
        telemetry.otel_log_of_text,
    ),
    Row(
        "stdlib QueueHandler",
        "snapshot by str() of the recommendation, making the record, queueing",
        stdlib.queue_handler,
    ),
    Row(
        "Sentry capture_message",
        "snapshot to Sentry's depth and breadth limits; no queueing, no serialisation, no integrations",
        telemetry.sentry,
    ),
    Row("PostHog capture", "snapshot, queueing; serialisation on its thread", telemetry.posthog),
    Row(
        "boto3 send_message",
        "serialisation by json.dumps, one request to a server of 5 ms latency",
        inline.send_message,
        NETWORK,
    ),
    Row(
        "boto3 batch_writer + put_metric_data",
        "floats to Decimal, serialisation, two requests to a server of 5 ms latency",
        inline.batch_writer,
        NETWORK,
    ),
)


def run(repetitions: int, plan: Plan | None = None) -> dict[str, Any]:
    """Measure every row; `plan` replaces the rows' own. Returns the report that is printed and written."""
    fields = typical_fields()
    times: dict[str, dict[str, list[list[int]]]] = {row.name: {"burst": [], "isolated": []} for row in ROWS}
    for _ in range(repetitions):
        for row in ROWS:
            with row.open(fields) as subject:
                for way, measured in measure(subject, plan or row.plan).items():
                    times[row.name][way].append(measured)
    return {
        "machine": command.machine(PACKAGES),
        "recommendation": _facts(fields["recommendation"]),
        "repetitions": repetitions,
        "unit": "microseconds",
        "rows": [_result(row, plan or row.plan, times[row.name]) for row in ROWS],
    }


def _result(row: Row, plan: Plan, times: Mapping[str, list[list[int]]]) -> dict[str, Any]:
    return {
        "name": row.name,
        "includes": row.includes,
        "calls": {"burst": plan.burst, "isolated": plan.isolated},
        **{way: summary(measured) for way, measured in times.items()},
    }


def _facts(recommendation: dict[str, Any]) -> dict[str, int]:
    return {"bytes": len(json.dumps(recommendation)), "leaves": leaves(recommendation)}


def table(report: Mapping[str, Any]) -> str:
    """Return the report as a Markdown table; the ratios are those of the p50 to the yardstick's."""
    base = next(row for row in report["rows"] if row["name"] == YARDSTICK)
    columns = [f"{way} {name}" for way in ("burst", "isolated") for name in (*PERCENTILES, "ratio")]
    lines = [
        f"| µs | {' | '.join(columns)} | includes |",
        f"|---|{'--:|' * len(columns)}---|",
    ]
    for row in report["rows"]:
        cells = []
        for way in ("burst", "isolated"):
            cells += [f"{row[way][name]:,.1f}" for name in PERCENTILES]
            cells.append(f"{row[way]['p50'] / base[way]['p50']:,.2f}")
        lines.append(f"| {row['name']} | {' | '.join(cells)} | {row['includes']} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; returns the process' exit code."""
    options = command.options(
        arguments,
        name="producer",
        description="Measure what handing over a 5 KB recommendation costs the caller.",
        epilog=EPILOG,
        quick="a few calls of each",
    )
    report = run(1, QUICK) if options.quick else run(REPETITIONS)
    machine, recommendation = report["machine"], report["recommendation"]
    print(
        f"Python {machine['python']}, {machine['cpus']} CPUs, load {machine['load']:.1f}; a recommendation of "
        f"{recommendation['bytes']:,} bytes and {recommendation['leaves']} leaves; median of {report['repetitions']}"
    )
    print(table(report))
    command.write(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
