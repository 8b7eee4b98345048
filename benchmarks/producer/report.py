"""Measure every contender, and print the report as a table."""

import json
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.producer.contenders import CONTENDERS, YARDSTICK, Contender
from benchmarks.producer.latency import PERCENTILES, CallCounts, measure, summary
from benchmarks.support import command
from benchmarks.support.recorded_outputs import count_leaves, typical_fields

PACKAGES: Final = ("pydantic", "opentelemetry-sdk", "sentry-sdk", "posthog", "boto3")


def run(repetitions: int, counts: CallCounts | None = None) -> dict[str, Any]:
    """Measure every contender, with `counts` in place of its own if given; return the report."""
    fields = typical_fields()
    times: dict[str, dict[str, list[list[int]]]] = {row.name: {"burst": [], "isolated": []} for row in CONTENDERS}
    for _ in range(repetitions):
        for contender in CONTENDERS:
            with contender.open(fields) as subject:
                for way, measured in measure(subject, counts or contender.counts).items():
                    times[contender.name][way].append(measured)
    recommendation = fields["recommendation"]
    return {
        "machine": command.machine(PACKAGES),
        "recommendation": {"bytes": len(json.dumps(recommendation)), "leaves": count_leaves(recommendation)},
        "repetitions": repetitions,
        "unit": "microseconds",
        "rows": [_row(row, counts or row.counts, times[row.name]) for row in CONTENDERS],
    }


def _row(contender: Contender, counts: CallCounts, times: Mapping[str, list[list[int]]]) -> dict[str, Any]:
    return {
        "name": contender.name,
        "includes": contender.includes,
        "calls": {"burst": counts.burst, "isolated": counts.isolated},
        **{way: summary(measured) for way, measured in times.items()},
    }


def table(report: Mapping[str, Any]) -> str:
    """Return the report as a Markdown table; each ratio compares a p50 with the yardstick's."""
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
