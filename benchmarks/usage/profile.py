"""The usage profile that `recs cost` computes with: one incident, measured at several envelope sizes."""

import logging
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.usage.measurement import AGENTS, measure, measure_full_batch
from infra.local.dynalite import running_dynalite
from infra.local.moto import running_moto
from infra.paths import ROOT

SHIPPED: Final = ROOT / "cli" / "recommendation_cli" / "cost" / "profile.json"
SIZES: Final = tuple(kilobytes * 1024 for kilobytes in (2, 3, 5, 10, 20, 50, 100, 300))  # bytes of an envelope

FULL_BATCH: Final = 860  # about as many of 5 KB as fit into an invocation
_TYPICAL: Final = 5 * 1024  # bytes of an envelope
_BATCH_INVOCATIONS: Final = 5  # the first of which is cold


def profile(invocations: int) -> dict[str, Any]:
    """Measure every size, and return the profile. Raises `DynaliteError` if the engine is missing, and `UsageError`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's server, which logs every request
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
            "warm_cpu_ms": round(measure_full_batch(_TYPICAL, FULL_BATCH, _BATCH_INVOCATIONS), 1),
        },
        "sizes": sizes,
    }


def table(measured: Mapping[str, Any]) -> str:
    """Return a profile as a Markdown table."""
    titles = (
        "envelope", "item", "send / receive / delete requests", "write units of table + 3 indexes",
        "3 compact indexes", "log bytes", "CPU ms warm / cold",
    )  # fmt: skip
    rows = [list(titles), ["--:"] * len(titles)]
    for row in measured["sizes"]:
        requests = " / ".join(str(row[f"{name}_requests"]) for name in ("send", "receive", "delete"))
        units = [f"{row['table_write_units']} + {row['index_write_units']}", str(row["compact_index_write_units"])]
        logs = str(row["consumer_log_bytes"] + row["executor_log_bytes"])
        cpu = f"{row['warm_cpu_ms']:.1f} / {row['cold_cpu_ms']}"
        rows.append([str(row["envelope_bytes"]), str(row["item_bytes"] // AGENTS), requests, *units, logs, cpu])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
