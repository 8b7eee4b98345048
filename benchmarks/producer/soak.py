"""Enqueue at full speed against a slow queue for a long time: `python -m benchmarks.producer.soak --help`."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from benchmarks.producer.our_producer import QUEUE_URL, StubClient
from benchmarks.support.memory import MEBIBYTE, after_warm_up, growth, resident_bytes
from benchmarks.support.recorded_outputs import typical_fields
from recommendation_producer import Balance, RecommendationProducer

LATENCY: Final = 0.02  # seconds per batch: four in flight send 2,000 envelopes/s, a tenth of what is enqueued
SAMPLES: Final = 100
ALLOWED_GROWTH: Final = 4 * MEBIBYTE  # after the warm-up; the buffer itself may hold 32 MiB
_LAST_FLUSH: Final = 60.0  # seconds; the buffer's 32 MiB need 3


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a soak. `sizes` are pairs of (envelopes enqueued, resident bytes), evenly spread over the run."""

    enqueues: int
    seconds: float
    sizes: Sequence[tuple[int, int]]
    balance: Balance

    @property
    def warm(self) -> Sequence[tuple[int, int]]:
        """The sizes after the warm-up."""
        return after_warm_up(self.sizes, lambda size: size[0], self.enqueues)

    @property
    def growth(self) -> int:
        """Bytes between the first and the largest size after the warm-up."""
        return growth([size for _, size in self.warm])

    @property
    def slope(self) -> float:
        """Bytes per envelope after the warm-up, by least squares."""
        mean_count, mean_size = (fmean(column) for column in zip(*self.warm, strict=True))
        spread = sum((count - mean_count) ** 2 for count, _ in self.warm)
        return sum((count - mean_count) * (size - mean_size) for count, size in self.warm) / spread

    @property
    def is_balanced(self) -> bool:
        """Whether every envelope is accounted for and none is still pending."""
        counted = self.balance.sent + sum(self.balance.dropped.values()) + self.balance.pending
        return self.balance.accepted == self.enqueues == counted and self.balance.pending == 0


def soak(enqueues: int, latency: float = LATENCY) -> Result:
    """Enqueue `enqueues` envelopes as fast as one thread can; most are refused because the buffer is full."""
    fields = typical_fields()
    producer = RecommendationProducer(QUEUE_URL, client_factory=StubClient(latency).open)
    interval = max(1, enqueues // SAMPLES)
    sizes = []
    start = time.monotonic()
    for count in range(enqueues):
        if count % interval == 0:
            sizes.append((count, resident_bytes()))
        producer.enqueue(**fields)
    seconds = time.monotonic() - start
    balance = producer.flush(_LAST_FLUSH)
    sizes.append((enqueues, resident_bytes()))
    producer.close()
    return Result(enqueues, seconds, sizes, balance)


def report(result: Result) -> str:
    """Return the result as a table."""
    pace = result.seconds / result.enqueues * 1e6
    rows = {
        "enqueues": f"{result.enqueues:,} in {result.seconds:.1f} s, one every {pace:.1f} µs",
        "sent": f"{result.balance.sent:,}",
        "dropped": ", ".join(f"{reason} {count:,}" for reason, count in result.balance.dropped.items()) or "0",
        "pending": f"{result.balance.pending:,}",
        "balance": "exact" if result.is_balanced else "WRONG",
        "RSS at start": f"{result.sizes[0][1] / MEBIBYTE:.1f} MiB",
        "RSS after warm-up": f"{result.warm[0][1] / MEBIBYTE:.1f} MiB",
        "peak RSS": f"{max(size for _, size in result.sizes) / MEBIBYTE:.1f} MiB",
        "growth after warm-up": f"{result.growth / MEBIBYTE:.2f} MiB (allowed: {ALLOWED_GROWTH / MEBIBYTE:.0f})",
        "slope after warm-up": f"{result.slope:.2f} bytes per envelope",
    }
    return "\n".join(f"{name:<22} {value}" for name, value in rows.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.producer.soak",
        description="Enqueue at full speed against a slow queue; fail if memory grows or an envelope is lost.",
    )
    parser.add_argument("--enqueues", type=int, default=1_000_000, metavar="N", help="default: 1,000,000")
    options = parser.parse_args(arguments)
    result = soak(options.enqueues)
    print(report(result))
    return 0 if result.is_balanced and result.growth <= ALLOWED_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
