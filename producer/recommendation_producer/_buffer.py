"""The bounded buffer between the callers' threads and the sender's.

The two sides share no lock: callers write one set of counters, under a lock that only callers take, and the sender
writes another. Pending is always the difference, so the balance holds at every moment.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from recommendation_producer._balance import BUFFER_FULL, SHUTDOWN, Balance
from recommendation_shared import limits

if TYPE_CHECKING:
    from recommendation_producer._bodies import Unwritten


class Entry:
    """One envelope in the buffer; `number` counts arrivals from 0, `enqueued_at` is in monotonic seconds.

    `held` is how many bytes it takes of the buffer. `refusal` is the reason to drop an envelope that has no `body`.
    `trace_header` is that of the invocation that enqueued it, and no part of its size, as SQS counts it.
    """

    __slots__ = ("body", "enqueued_at", "held", "number", "refusal", "trace_header")

    def __init__(
        self, number: int, enqueued_at: float, body: "bytes | Unwritten", trace_header: str | None = None
    ) -> None:
        self.number: Final = number
        self.enqueued_at: Final = enqueued_at
        self.held: Final = len(body)
        self.body: bytes
        self.refusal: str | None
        self.body, self.refusal = (body, None) if isinstance(body, bytes) else body.written()
        self.trace_header: Final = trace_header


class Buffer:
    """Holds at most `max_items` envelopes and `max_bytes` of bodies in total, including those in flight.

    What the sender has yet to write counts with the memory that its copy takes.
    """

    def __init__(self, max_items: int, max_bytes: int) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[float, bytes | Unwritten, str | None]] = deque()
        # Re-entrant, because a finalizer or signal handler may enqueue while its own thread holds the lock.
        self._entering = threading.RLock()
        self._closed = False
        self._abandoned = False
        self._handed_over = 0
        self._admitted = 0
        self._admitted_bytes = 0
        # Not a Counter: its first count of a reason is a Python call, and so a point where a signal handler may run.
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

    def offer(self, body: "bytes | Unwritten", now: float, trace_header: str | None = None) -> str | None:
        """Admit a body; return None, or the reason it was refused.

        Finalizers and signal handlers run at calls, and may enqueue. So no count is read before a call and written
        after it, and there is no call at all between checking the bounds and admitting the entry.
        """
        size = len(body)
        waiting = (now, body, trace_header)
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
        """Count an envelope that never reached the buffer."""
        with self._entering:
            self._handed_over += 1
            self._refused[reason] += 1

    def close(self) -> None:
        """Refuse everything from now on."""
        with self._entering:
            self._closed = True

    def abandon(self) -> None:
        """Count everything pending as dropped for `shutdown` from now on."""
        self._abandoned = True

    @property
    def admitted(self) -> int:
        """How many envelopes have been admitted; also the number that the next one gets."""
        return self._admitted

    def holds_full_batch(self) -> bool:
        """Return whether a batch is ready by count or bytes, before its age makes it due."""
        waiting_bytes = self._admitted_bytes - self._taken_bytes
        return len(self._waiting) >= limits.SQS_BATCH_ENTRIES or waiting_bytes >= limits.SQS_REQUEST_BYTES

    def is_settled(self, mark: int) -> bool:
        """Return whether every envelope numbered below `mark` has been sent or dropped."""
        return self._oldest_unsettled >= mark

    def balance(self) -> Balance:
        """Return a consistent snapshot without taking a lock."""
        # The order matters: a count that changes meanwhile can only make `pending` too large for a moment, never
        # negative. `dict` copies in one step, while a loop over the items could meet a new reason.
        sent, dropped = self._sent, dict(self._dropped)
        for reason, count in dict(self._refused).items():
            dropped[reason] = dropped.get(reason, 0) + count
        accepted = self._handed_over
        pending = accepted - sent - sum(dropped.values())
        if self._abandoned and pending:
            dropped[SHUTDOWN] = dropped.get(SHUTDOWN, 0) + pending
            pending = 0
        return Balance(accepted, sent, dropped, pending)

    # The sender's side: one thread at a time.

    def peek(self, count: int) -> list[Entry]:
        """Return the first waiting entries, at most `count`; this writes the bodies that are not written yet."""
        waiting = self._waiting
        return [Entry(self._taken + index, *waiting[index]) for index in range(min(count, len(waiting)))]

    def take(self, count: int) -> list[Entry]:
        """Move the first `count` entries from the buffer into the sender's hands.

        A thread that dies meanwhile leaves each of them either here or there. So everything that can fail comes before
        the first change, and the one call that removes the entry comes last.
        """
        taken = []
        for _ in range(count):
            entry = Entry(self._taken, *self._waiting[0])
            taken.append(entry)
            next_number, taken_bytes = entry.number + 1, self._taken_bytes + entry.held
            self._in_hand[entry.number] = entry
            self._taken, self._taken_bytes = next_number, taken_bytes
            self._waiting.popleft()
        return taken

    def in_hand(self) -> list[Entry]:
        """Return the entries taken and not yet settled; they are the first work of a dead sender's successor."""
        return [self._in_hand[number] for number in sorted(self._in_hand)]

    def settle(self, entries: Iterable[Entry], dropped_for: str | None = None) -> None:
        """Count entries in hand as sent, or as dropped for a reason, and release them."""
        for entry in entries:
            del self._in_hand[entry.number]
            if dropped_for is None:
                self._sent += 1
            else:
                self._dropped[dropped_for] += 1
            self._settled += 1
            self._settled_bytes += entry.held
        self._oldest_unsettled = min(self._in_hand, default=self._taken)
