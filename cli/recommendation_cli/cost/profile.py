"""The usage of one incident, as measured by benchmarks/usage, interpolated for any size between the measured ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

from recommendation_shared import limits


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommendation's usage. Bytes are by DynamoDB's size rule; `compact_bytes` is for one of three indexes."""

    item_bytes: float
    compact_bytes: float
    table_units: float
    index_units: float  # of all three
    compact_units: float
    log_bytes: float
    warm_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Profile:
    """All measured sizes; `metrics` counts distinct metrics: fixed, by agent type, and by agent type and incident."""

    measured: str
    agents: int
    metrics: Mapping[str, int]
    cold_cpu_ms: float
    batch_cpu_ms: float  # per recommendation of 5 KB in a full batch
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def shipped(cls) -> Self:
        """Return the profile that ships with the package."""
        profile = json.loads(files("recommendation_cli.cost").joinpath("profile.json").read_text(encoding="utf-8"))
        rows = tuple(profile["sizes"])
        batch = profile["full_batch"]
        cold = sum(row["cold_cpu_ms"] for row in rows) / len(rows)
        return cls(
            profile["measured"],
            profile["agents"],
            rows[0]["metrics"],
            cold,
            batch["warm_cpu_ms"] / batch["records"],
            rows,
        )

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest measured envelope, in bytes."""
        return self.rows[0]["envelope_bytes"], self.rows[-1]["envelope_bytes"]

    def recommendation(self, envelope_bytes: int) -> Recommendation:
        """Return what a recommendation of that size uses, interpolated; raise `ValueError` beyond the range."""
        least, most = self.range
        if not least <= envelope_bytes <= most:
            raise ValueError(f"sizes from {least // 1024}KB to {most // 1024}KB were measured")
        for low, high in zip(self.rows, self.rows[1:], strict=False):
            if low["envelope_bytes"] <= envelope_bytes <= high["envelope_bytes"]:
                share = (envelope_bytes - low["envelope_bytes"]) / (high["envelope_bytes"] - low["envelope_bytes"])
                return self._between(low, high, share)
        raise AssertionError  # unreachable: the measured sizes are in order

    def _between(self, low: Mapping[str, Any], high: Mapping[str, Any], share: float) -> Recommendation:
        def mean(*names: str) -> float:
            below, above = (float(sum(row[name] for name in names)) for row in (low, high))
            return (below + (above - below) * share) / self.agents

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
    """Return the requests that SQS bills for sending (or receiving) messages in as few calls as possible.

    A call takes up to 10 messages and 1 MiB; each 64 KB of its payload is billed as a request (Amazon SQS pricing).
    """
    per_call = max(1, min(limits.SQS_BATCH_ENTRIES, limits.SQS_REQUEST_BYTES // size))
    calls, rest = divmod(count, per_call)
    return calls * _chunks(per_call * size) + (_chunks(rest * size) if rest else 0)


def _chunks(payload: int) -> int:
    return -(-payload // (64 * 1024))
