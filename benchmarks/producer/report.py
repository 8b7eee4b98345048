"""Measure every contender, and print the report as a table."""

import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from benchmarks.producer.contenders import CONTENDERS, Contender
from benchmarks.producer.latency import PERCENTILES, CallCounts, Measured, measure, summary
from benchmarks.producer.standard_library import json_dumps
from benchmarks.support import command
from benchmarks.support.recorded_outputs import count_leaves, typical_fields

PACKAGES: Final = ("pydantic", "opentelemetry-sdk", "sentry-sdk", "posthog", "boto3")


def run(repetitions: int, counts: CallCounts | None = None) -> dict[str, Any]:
    """Measure every contender, with `counts` in place of its own if given; return the report."""
    fields = typical_fields()
    recommendation = fields["recommendation"]
    runs: dict[str, list[Measured]] = {row.name: [] for row in CONTENDERS}
    with json_dumps(fields) as yardstick:
        for contender in CONTENDERS * repetitions:
            with contender.open(fields) as subject:
                runs[contender.name].append(measure(subject, counts or contender.counts, yardstick.call))
    return {
        "machine": command.machine(PACKAGES),
        "recommendation": {"bytes": len(json.dumps(recommendation)), "leaves": count_leaves(recommendation)},
        "repetitions": repetitions,
        "unit": "microseconds",
        "rows": [_row(row, counts or row.counts, runs[row.name]) for row in CONTENDERS],
    }


def _row(contender: Contender, counts: CallCounts, runs: Sequence[Measured]) -> dict[str, Any]:
    return {
        "name": contender.name,
        "includes": contender.includes,
        "calls": {"burst": counts.burst, "isolated": counts.isolated},
        "burst": {**summary([run.burst for run in runs]), "ratio": median(run.ratio for run in runs)},
        "isolated": summary([run.isolated for run in runs]),
    }


def table(report: Mapping[str, Any]) -> str:
    """Return the report as a Markdown table; the ratio compares a burst's p50 with the yardstick's beside it."""
    columns = ["burst ratio", *(f"{way} {name}" for way in ("burst", "isolated") for name in PERCENTILES)]
    lines = [
        f"| µs | {' | '.join(columns)} | includes |",
        f"|---|{'--:|' * len(columns)}---|",
    ]
    for row in report["rows"]:
        times = [f"{row[way][name]:,.1f}" for way in ("burst", "isolated") for name in PERCENTILES]
        lines.append(f"| {row['name']} | {row['burst']['ratio']:,.2f} | {' | '.join(times)} | {row['includes']} |")
    return "\n".join(lines)
