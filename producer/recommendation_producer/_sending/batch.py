"""When a batch closes: by count, by bytes, by age, or because a flush asks for it."""

from collections.abc import Sequence

from recommendation_producer._buffer import Entry
from recommendation_shared import limits
from recommendation_shared.queue.batches import in_batches


def due(waiting: Sequence[Entry], *, now: float, max_age: float, flush_mark: int) -> int:
    """Return how many of the waiting entries to send now as one batch, counted from the first; 0 to keep waiting.

    `waiting` needs no more entries than one batch holds. `now` and `max_age` are in seconds of the monotonic clock.
    Entries numbered below `flush_mark` do not wait.
    """
    if not waiting:
        return 0
    fitting = len(next(in_batches(waiting, body_bytes)))
    is_full = fitting == limits.SQS_BATCH_ENTRIES or fitting < len(waiting)
    oldest = waiting[0]
    if is_full or oldest.number < flush_mark or now - oldest.enqueued_at >= max_age:
        return fitting
    return 0


def body_bytes(entry: Entry) -> int:
    """Return the bytes that SQS counts for an entry: those of its body, but not those of its trace header.

    Source: AWS X-Ray Developer Guide, "Amazon SQS and AWS X-Ray".
    """
    return len(entry.body)
