"""The bounded buffer between the callers' threads and the sender's.

Two sides, and no lock between them: callers write one set of counters (under a lock that only callers take), the
sender writes another. What is pending is always the difference, so the balance holds at every moment.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

from recommendation_producer._balance import BUFFER_FULL, SHUTDOWN, Balance
from recommendation_shared import limits


class Entry(NamedTuple):
    """One envelope in the buffer; `number` counts from 0 in the order of arrival, `enqueued_at` is monotonic."""

    number: int
    enqueued_at: float
    body: bytes


class Buffer:
    """Holds at most `max_items` envelopes of together at most `max_bytes`, those on their way included."""

    def __init__(self, max_items: int, max_bytes: int) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[float, bytes]] = deque()
        # Re-entrant, because a finalizer or a signal handler may enqueue while its own thread is in here.
        self._entering = threading.RLock()
        self._closed = False
        self._abandoned = False
        self._handed_over = 0
        self._admitted = 0
        self._admitted_bytes = 0
        # Not a Counter, whose first count of a reason is a Python call.
        self._refused: defaultdict[str, int] = defaultdict(int)

        self._in_hand: dict[int, Entry] = {}
        self._taken = 0
        self._taken_bytes = 0
        self._sent = 0
        self._settled = 0
        self._settled_bytes = 0
        self._dropped: Counter[str] = Counter()
        self._oldest_unsettled = 0

    # The callers' side.

    def offer(self, body: bytes, now: float) -> str | None:
        """Admit a body; return the reason for which it was refused, or None.

        Finalizers and signal handlers run at calls, and may enqueue then: so no count is read before a call and
        written after it, and from the look at the bounds to the entry's admission there is no call at all.
        """
        size = len(body)
        waiting = (now, body)
        with self._entering:
            self._handed_over += 1
            if self._closed:
                reason = SHUTDOWN
            elif (
                self._admitted - self._settled >= self._max_items
                or self._admitted_bytes - self._settled_bytes + size > self._max_bytes
            ):
                reason = BUFFER_FULL
            else:
                self._admitted += 1
                self._admitted_bytes += size
                self._waiting.append(waiting)
                return None
            self._refused[reason] += 1
        return reason

    def refuse(self, reason: str) -> None:
        """Count an envelope that never got as far as the buffer."""
        with self._entering:
            self._handed_over += 1
            self._refused[reason] += 1

    def close(self) -> None:
        """Admit nothing more."""
        with self._entering:
            self._closed = True

    def abandon(self) -> None:
        """From now on, count what is pending as dropped for `shutdown`."""
        self._abandoned = True

    @property
    def admitted(self) -> int:
        """How many envelopes were ever admitted; also the number that the next one gets."""
        return self._admitted

    def holds_full_batch(self) -> bool:
        """Tell whether a batch is ready before its age makes it so."""
        waiting_bytes = self._admitted_bytes - self._taken_bytes
        return len(self._waiting) >= limits.SQS_BATCH_ENTRIES or waiting_bytes >= limits.SQS_REQUEST_BYTES

    def is_settled(self, mark: int) -> bool:
        """Tell whether every envelope numbered below `mark` was sent or dropped."""
        return self._oldest_unsettled >= mark

    def balance(self) -> Balance:
        """Return a consistent snapshot, without waiting for anybody."""
        # In this order: whatever moves while we read can only make `pending` larger for a moment, never negative.
        # `dict` copies in one step; a loop over the items could meet a new reason.
        sent, dropped = self._sent, Counter(dict(self._dropped))
        dropped.update(dict(self._refused))
        accepted = self._handed_over
        pending = accepted - sent - dropped.total()
        if self._abandoned and pending:
            dropped[SHUTDOWN] += pending
            pending = 0
        return Balance(accepted, sent, dict(dropped), pending)

    # The sender's side: one thread at a time.

    def peek(self, count: int) -> list[Entry]:
        """Return the first entries that wait, at most `count`."""
        waiting = self._waiting
        return [Entry(self._taken + index, *waiting[index]) for index in range(min(count, len(waiting)))]

    def take(self, count: int) -> list[Entry]:
        """Move the first `count` entries into the sender's hand."""
        taken = [Entry(number, *self._waiting.popleft()) for number in range(self._taken, self._taken + count)]
        self._in_hand.update((entry.number, entry) for entry in taken)
        self._taken += count
        self._taken_bytes += sum(len(entry.body) for entry in taken)
        return taken

    def in_hand(self) -> list[Entry]:
        """Return what was taken and not settled: after a sender's death, its successor's first work."""
        return sorted(self._in_hand.values())

    def settle(self, entries: Iterable[Entry], dropped_for: str | None = None) -> None:
        """Count entries in hand as sent, or as dropped for a reason, and let go of them."""
        for entry in entries:
            del self._in_hand[entry.number]
            if dropped_for is None:
                self._sent += 1
            else:
                self._dropped[dropped_for] += 1
            self._settled += 1
            self._settled_bytes += len(entry.body)
        self._oldest_unsettled = min(self._in_hand, default=self._taken)
