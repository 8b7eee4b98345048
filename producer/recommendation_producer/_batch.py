"""When a batch closes: by count, by bytes, by age, or because a flush asks for it."""

from collections.abc import Iterator, Sequence

from recommendation_producer._buffer import Entry
from recommendation_shared import limits


def due(waiting: Sequence[Entry], *, now: float, max_age: float, flush_mark: int) -> int:
    """Return how many of the first waiting entries to send now as one batch; 0 when they had better wait.

    `waiting` needs no more entries than one batch holds; `now` and `max_age` are seconds of the monotonic clock;
    entries numbered below `flush_mark` do not wait.
    """
    if not waiting:
        return 0
    fitting = fit(waiting)
    is_full = fitting == limits.SQS_BATCH_ENTRIES or fitting < len(waiting)
    oldest = waiting[0]
    if is_full or oldest.number < flush_mark or now - oldest.enqueued_at >= max_age:
        return fitting
    return 0


def fit(entries: Sequence[Entry]) -> int:
    """Return how many of the first entries fit into one SendMessageBatch request (10, and 1 MiB together).

    Only bodies count: the producer sends no message attributes, and SQS does not count entry ids.
    """
    size = 0
    for count, entry in enumerate(entries):
        size += len(entry.body)
        if count == limits.SQS_BATCH_ENTRIES or size > limits.SQS_REQUEST_BYTES:
            return count
    return len(entries)


def in_batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Cut entries, each of which fits into a request, into batches."""
    while entries:
        count = fit(entries)
        yield entries[:count]
        entries = entries[count:]
