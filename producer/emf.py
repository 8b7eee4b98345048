"""The producer's counts as CloudWatch metrics: EMF lines on stdout, which Lambda's log pipeline turns into metrics.

Specification: Amazon CloudWatch User Guide, "Embedded metric format".
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from producer.loss_log import LOGGER
from shared import metrics


class MetricWriter:
    """Writes what was added to the counts since its last lines; only flushes call it, so it may lock and block."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._enqueued = 0
        self._dropped: Counter[str] = Counter()

    def write(self, enqueued: int, dropped: Mapping[str, int]) -> None:
        """Write to stdout; when that is closed or broken, the counts stay for the next time."""
        with self._writing:
            lines = list(metric_lines(enqueued - self._enqueued, Counter(dropped) - self._dropped))
            if not lines:
                return
            try:
                sys.stdout.write("\n".join(lines) + "\n")
                sys.stdout.flush()
            except (OSError, ValueError) as error:
                LOGGER.warning("metrics could not be written to stdout: %s", type(error).__name__)
                return
            self._enqueued, self._dropped = enqueued, Counter(dropped)


def metric_lines(enqueued: int, dropped: Mapping[str, int], epoch_ms: int | None = None) -> Iterator[str]:
    """Yield one line for what was enqueued and one for each reason of a drop; nothing for zero counts."""
    now = time.time_ns() // 1_000_000 if epoch_ms is None else epoch_ms
    if enqueued:
        yield _line(now, metrics.ENQUEUED, enqueued, {})
    for reason, count in sorted(dropped.items()):
        if count:
            yield _line(now, metrics.DROPPED, count, {metrics.REASON: reason})


def _line(now: int, name: str, count: int, dimensions: Mapping[str, str]) -> str:
    document: dict[str, Any] = {
        "_aws": {
            "Timestamp": now,
            "CloudWatchMetrics": [
                {
                    "Namespace": metrics.NAMESPACE,
                    "Dimensions": [list(dimensions), []] if dimensions else [[]],
                    "Metrics": [{"Name": name, "Unit": "Count"}],
                }
            ],
        },
        **dimensions,
        name: count,
    }
    return json.dumps(document, separators=(",", ":"))
