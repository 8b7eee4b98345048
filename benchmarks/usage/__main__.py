"""Measure what an incident uses of AWS, and write the profile that `recs cost` computes with.

Its seven recommendations go through the real producer and the real consumer; a proxy in front of local engines counts
billed requests and consumed write units. Logs, metrics and CPU time are those of the consumer's own process.
"""

import argparse
import json
import logging
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.usage.run import AGENTS, INVOCATIONS, measure, measure_full_batch
from infra.local.dynalite import DynaliteError, running_dynalite
from infra.local.moto import running_moto
from infra.paths import ROOT

PROFILE: Final = ROOT / "cli" / "recommendation_cli" / "cost" / "profile.json"
SIZES: Final = tuple(kilobytes * 1024 for kilobytes in (2, 3, 5, 10, 20, 50, 100, 300))  # bytes of an envelope

FULL_BATCH: Final = 860  # about as many of 5 KB as fit into an invocation
_TYPICAL: Final = 5 * 1024
_FEW: Final = 5  # invocations, of which the first is cold


def profile(invocations: int) -> dict[str, Any]:
    """Measure every size; return the profile. Raises `DynaliteError`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's; else a line for each request
    with (
        TemporaryDirectory() as folder,
        running_moto() as sqs_url,
        running_dynalite(Path(folder, "dynalite.log")) as dynamodb_url,
    ):
        sizes = [measure(size, sqs_url, dynamodb_url, invocations) for size in SIZES]
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "agents": AGENTS,
        "full_batch": {
            "envelope_bytes": _TYPICAL,
            "records": FULL_BATCH,
            "warm_cpu_ms": round(measure_full_batch(_TYPICAL, FULL_BATCH, _FEW), 1),
        },
        "sizes": sizes,
    }


def table(found: dict[str, Any]) -> str:
    """Return the profile as a table of Markdown."""
    titles = ["envelope", "item", "send / receive / delete requests", "write units of table + 3 indexes", "3 compact"]
    rows = [[*titles, "log bytes", "CPU ms warm / cold"], ["--:"] * 7]
    for row in found["sizes"]:
        requests = " / ".join(str(row[f"{name}_requests"]) for name in ("send", "receive", "delete"))
        units = [f"{row['table_write_units']} + {row['index_write_units']}", str(row["compact_index_write_units"])]
        logs = str(row["consumer_log_bytes"] + row["executor_log_bytes"])
        cpu = f"{row['warm_cpu_ms']:.1f} / {row['cold_cpu_ms']}"
        rows.append([str(row["envelope_bytes"]), str(row["item_bytes"] // AGENTS), requests, *units, logs, cpu])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usage", description=__doc__)
    parser.add_argument("--invocations", type=int, default=INVOCATIONS, help="for the median of the CPU time")
    parser.add_argument("--write", action="store_true", help=f"replace cli/{PROFILE.name}")
    options = parser.parse_args(arguments)
    try:
        found = profile(options.invocations)
    except DynaliteError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    print(table(found))
    if options.write:
        PROFILE.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
