"""The producer's counts as CloudWatch metrics: EMF lines on stdout, from which CloudWatch Logs extracts the metrics."""

import json
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence

from recommendation_producer._loss_log import LOGGER
from recommendation_shared import emf, metrics


class MetricWriter:
    """Writes what was added since the last write. Only flushes write; `note_batch` is for the sender's thread.

    Counts are exact. Only the last 100 latencies between two flushes are kept.
    """

    def __init__(self, namespace: str, *, is_on: bool) -> None:
        self._namespace = namespace
        self._is_on = is_on
        self._writing = threading.Lock()
        self._enqueued = 0
        self._dropped: Counter[str] = Counter()
        self._batches = 0
        self._batches_written = 0
        self._fallbacks = 0
        self._fallbacks_written = 0
        self._failure: str | None = None
        self._latencies: deque[float] = deque(maxlen=emf.VALUES_PER_METRIC)

    def note_batch(self, seconds: float) -> None:
        """Count a batch that SQS responded to, and the seconds that took."""
        self._batches += 1
        self._latencies.append(round(seconds * 1000, 3))

    def note_fallback(self) -> None:
        """Count an invocation that drained before its response, although it was to drain after it."""
        self._fallbacks += 1

    def write(self, enqueued: int, dropped: Mapping[str, int], pending: int = 0) -> None:
        """Write to stdout; while it is closed, broken or in use, keep the counts for the next time."""
        # Never wait: the flush in progress may be on this very thread, interrupted by a signal handler.
        if not self._is_on or not self._writing.acquire(blocking=False):
            return
        try:
            batches, fallbacks, latencies = self._batches, self._fallbacks, list(self._latencies)
            lines = list(
                metric_lines(
                    self._namespace,
                    {
                        metrics.ENQUEUED: enqueued - self._enqueued,
                        metrics.BATCHES: batches - self._batches_written,
                        metrics.SEND_LATENCY: latencies,
                        metrics.PENDING: pending,
                        metrics.DRAIN_FALLBACK: fallbacks - self._fallbacks_written,
                    },
                    Counter(dropped) - self._dropped,
                )
            )
            if lines:
                sys.stdout.write("\n".join(lines) + "\n")
                sys.stdout.flush()
                self._enqueued, self._dropped, self._batches_written = enqueued, Counter(dropped), batches
                self._fallbacks_written, self._failure = fallbacks, None
                for _ in latencies:  # the sender may have added others
                    self._latencies.popleft()
        except Exception as error:  # noqa: BLE001 - stdout is the host's: closed, None, binary, or any object at all
            if type(error).__name__ != self._failure:  # not at every flush
                self._failure = type(error).__name__
                LOGGER.warning("metrics could not be written to stdout: %s", self._failure)
        finally:
            self._writing.release()


def metric_lines(
    namespace: str,
    values: Mapping[str, float | Sequence[float]],
    dropped: Mapping[str, int],
    epoch_ms: int | None = None,
) -> Iterator[str]:
    """Yield one line for the values and one for each drop reason, omitting zeros and empty lists."""
    now = time.time_ns() // 1_000_000 if epoch_ms is None else epoch_ms
    if present := {name: value for name, value in values.items() if value}:
        yield _line(namespace, now, present, {})
    for reason, count in sorted(dropped.items()):
        if count:
            yield _line(namespace, now, {metrics.DROPPED: count}, {metrics.REASON: reason})


def _line(
    namespace: str, now: int, values: Mapping[str, float | Sequence[float]], dimensions: Mapping[str, str]
) -> str:
    dimension_sets = [list(dimensions), []] if dimensions else [[]]
    names = [name for name in values if name not in metrics.LOGGED]
    beginning = emf.beginning(namespace, now, names, dimension_sets) if names else {}
    return json.dumps({**beginning, **dimensions, **values}, separators=(",", ":"))
