"""What was measured of an incident (benchmarks/usage/__main__.py), for any size between the measured ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

from recommendation_shared import limits


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommendation of a size. Bytes by DynamoDB's own rule; a compact index's are of one of the three."""

    item_bytes: float
    compact_bytes: float
    table_units: float
    index_units: float  # of the three together
    compact_units: float
    log_bytes: float
    warm_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Profile:
    """All measured sizes; `metrics` counts the distinct ones: fixed, by agent type, and by agent type and incident."""

    measured: str
    agents: int
    metrics: Mapping[str, int]
    cold_cpu_ms: float
    batch_cpu_ms: float  # for each recommendation of 5 KB in a full batch
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def shipped(cls) -> Self:
        """Return the package's own."""
        found = json.loads(files("recommendation_cli.cost").joinpath("profile.json").read_text(encoding="utf-8"))
        rows = tuple(found["sizes"])
        batch = found["full_batch"]
        cold = sum(row["cold_cpu_ms"] for row in rows) / len(rows)
        return cls(
            found["measured"], found["agents"], rows[0]["metrics"], cold, batch["warm_cpu_ms"] / batch["records"], rows
        )

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest measured size of an envelope, in bytes."""
        return self.rows[0]["envelope_bytes"], self.rows[-1]["envelope_bytes"]

    def recommendation(self, envelope_bytes: int) -> Recommendation:
        """Return what one of that size uses, in proportion between the next measured ones. Raises ValueError beyond."""
        least, most = self.range
        if not least <= envelope_bytes <= most:
            raise ValueError(f"sizes from {least // 1024}KB to {most // 1024}KB were measured")
        for low, high in zip(self.rows, self.rows[1:], strict=False):
            if low["envelope_bytes"] <= envelope_bytes <= high["envelope_bytes"]:
                share = (envelope_bytes - low["envelope_bytes"]) / (high["envelope_bytes"] - low["envelope_bytes"])
                return self._between(low, high, share)
        raise AssertionError  # the measured sizes are in order

    def _between(self, low: Mapping[str, Any], high: Mapping[str, Any], share: float) -> Recommendation:
        def mean(*names: str) -> float:
            one, other = (float(sum(row[name] for name in names)) for row in (low, high))
            return (one + (other - one) * share) / self.agents

        return Recommendation(
            item_bytes=mean("item_bytes"),
            compact_bytes=mean("compact_index_bytes") / 3,
            table_units=mean("table_write_units"),
            index_units=mean("index_write_units"),
            compact_units=mean("compact_index_write_units"),
            log_bytes=mean("consumer_log_bytes", "executor_log_bytes"),
            warm_cpu_ms=mean("warm_cpu_ms"),
        )


def billed_requests(count: int, size: int) -> int:
    """Return the requests that SQS bills for sending (or receiving) messages in as few calls as its limits allow.

    A call takes 10 messages and 1 MiB; each 64 KB of its payload is a request (Amazon SQS pricing).
    """
    together = max(1, min(limits.SQS_BATCH_ENTRIES, limits.SQS_REQUEST_BYTES // size))
    calls, rest = divmod(count, together)
    return calls * _chunks(together * size) + (_chunks(rest * size) if rest else 0)


def _chunks(payload: int) -> int:
    return -(-payload // (64 * 1024))
