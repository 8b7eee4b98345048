"""Enqueue at full speed against a slow queue, for long: `python -m benchmarks.producer.soak --help`."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import getpagesize
from statistics import fmean
from typing import Final

from benchmarks.producer.own import QUEUE_URL, Client
from benchmarks.support.recommendation import typical_fields
from recommendation_producer import Balance, RecommendationProducer

LATENCY: Final = 0.02  # seconds per batch: four in flight drain 2,000 envelopes/s, a tenth of what is handed over
SAMPLES: Final = 100
WARM_UP: Final = 0.2  # of the run: the buffer fills to its bound, and the allocator settles
ALLOWED_GROWTH: Final = 4 * 1024 * 1024  # bytes after the warm-up; the buffer itself may hold 32 MiB
_LAST_FLUSH: Final = 60.0  # seconds; the buffer's 32 MiB need 3


@dataclass(frozen=True, slots=True)
class Result:
    """What a soak showed: `sizes` are (envelopes handed over, resident bytes), evenly spread."""

    enqueues: int
    seconds: float
    sizes: Sequence[tuple[int, int]]
    balance: Balance

    @property
    def warm(self) -> Sequence[tuple[int, int]]:
        """The sizes after the warm-up."""
        return [size for size in self.sizes if size[0] >= WARM_UP * self.enqueues]

    @property
    def growth(self) -> int:
        """Bytes between the first and the largest size after the warm-up."""
        return max(size for _, size in self.warm) - self.warm[0][1]

    @property
    def slope(self) -> float:
        """Bytes per envelope after the warm-up, by least squares."""
        mean_count, mean_size = (fmean(column) for column in zip(*self.warm, strict=True))
        spread = sum((count - mean_count) ** 2 for count, _ in self.warm)
        return sum((count - mean_count) * (size - mean_size) for count, size in self.warm) / spread

    @property
    def is_balanced(self) -> bool:
        """Tell whether every envelope is accounted for, and none is still on its way."""
        counted = self.balance.sent + sum(self.balance.dropped.values()) + self.balance.pending
        return self.balance.accepted == self.enqueues == counted and self.balance.pending == 0


def soak(enqueues: int, latency: float = LATENCY) -> Result:
    """Hand over `enqueues` envelopes as fast as one thread can; most are refused, because the buffer is full."""
    fields = typical_fields()
    producer = RecommendationProducer(QUEUE_URL, client_factory=Client(latency).context)
    every = max(1, enqueues // SAMPLES)
    sizes = []
    start = time.monotonic()
    for count in range(enqueues):
        if count % every == 0:
            sizes.append((count, resident_bytes()))
        producer.enqueue(**fields)
    seconds = time.monotonic() - start
    balance = producer.flush(_LAST_FLUSH)
    sizes.append((enqueues, resident_bytes()))
    producer.close()
    return Result(enqueues, seconds, sizes, balance)


def resident_bytes() -> int:
    """Return the process' resident set size; Linux only."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def report(result: Result) -> str:
    """Return the result as a table."""
    megabyte = 1024 * 1024
    pace = result.seconds / result.enqueues * 1e6
    rows = {
        "enqueues": f"{result.enqueues:,} in {result.seconds:.1f} s, one every {pace:.1f} µs",
        "sent": f"{result.balance.sent:,}",
        "dropped": ", ".join(f"{reason} {count:,}" for reason, count in result.balance.dropped.items()) or "0",
        "pending": f"{result.balance.pending:,}",
        "balance": "exact" if result.is_balanced else "OFF",
        "RSS at start": f"{result.sizes[0][1] / megabyte:.1f} MiB",
        "RSS after warm-up": f"{result.warm[0][1] / megabyte:.1f} MiB",
        "RSS at most": f"{max(size for _, size in result.sizes) / megabyte:.1f} MiB",
        "growth after warm-up": f"{result.growth / megabyte:.2f} MiB (allowed {ALLOWED_GROWTH / megabyte:.0f})",
        "slope after warm-up": f"{result.slope:.2f} bytes per envelope",
    }
    return "\n".join(f"{name:<22} {value}" for name, value in rows.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; returns the process' exit code."""
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
