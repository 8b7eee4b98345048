"""A batch on its way: when it closes, its SendMessageBatch calls, and the results of its entries."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from recommendation_producer._buffer import Buffer, Entry
from recommendation_shared import limits
from recommendation_shared.queue.batches import TRACE_HEADER, in_batches

if TYPE_CHECKING:
    from recommendation_producer._sending.call_threads import CallThread

# Awake seconds for one call, including the client's own second attempt and creating a client. The client's timeouts
# come first, unless a server responds byte by byte. A call that never ended would keep its envelopes pending forever.
CALL: Final = 10.0


class SqsClient(Protocol):
    """The only call that the producer makes."""

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """Send up to 10 messages; the response lists `Successful` and `Failed` entries by ID."""


ClientFactory = Callable[[], SqsClient]


class Setup:
    """What a sender works with: `max_age` in seconds, `delays` in seconds between the attempts for a batch.

    `note_batch` is called with the seconds that each successful call took. `call_limit` is in seconds.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - given by the producer, or by a test
        self,
        buffer: Buffer,
        queue_url: str,
        client_factory: ClientFactory,
        note_batch: Callable[[float], None],
        max_age: float,
        delays: Callable[[], Iterator[float]],
        clock: Callable[[], float],
        call_limit: float = CALL,
    ) -> None:
        self.buffer: Final = buffer
        self.queue_url: Final = queue_url
        self.client_factory: Final = client_factory
        self.note_batch: Final = note_batch
        self.max_age: Final = max_age
        self.delays: Final = delays
        self.clock: Final = clock
        self.call_limit: Final = call_limit


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


class Delivery:
    """A batch on its way: `parts` are sent one after another, and what they leave over is sent again.

    `is_calling` is true while a call for the first part is in flight; otherwise its time is `ready_at`, in seconds of
    the clock.
    """

    def __init__(self, entries: Sequence[Entry], delays: Iterator[float]) -> None:
        self.parts: list[Sequence[Entry]] = [entries]
        self.left_over: list[Entry] = []
        self.ready_at = float("-inf")
        self.is_calling = False
        self.brief_attempts = 0
        self._delays = delays

    def split(self, entries: Sequence[Entry]) -> None:
        """Send the two halves of a part next."""
        middle = len(entries) // 2
        self.parts[:0] = [entries[:middle], entries[middle:]]

    def back_off(self, now: float) -> bool:
        """Send the rest after the next delay; return False if there are no attempts left."""
        delay = next(self._delays, None)
        if delay is None:
            return False
        self.parts, self.left_over = [self.left_over], []
        self.ready_at = now + delay
        return True


class Opened:
    """The report of a new client. It comes before the end of the first call, which may take much longer."""

    def __init__(self, client: SqsClient) -> None:
        self.client: Final = client


class Call:
    """One call, made on a call thread; `report` is called on that thread when it has ended, whatever happened.

    `client` None creates one first, and reports it. `seconds` is the time of the call alone.
    """

    def __init__(
        self, delivery: Delivery, entries: Sequence[Entry], client: SqsClient | None, report: "Report"
    ) -> None:
        self.delivery = delivery
        self.entries = entries
        self.client = client
        self.creates_client = client is None
        self.thread: CallThread | None = None  # None for a call on the sender's own thread
        self.awake = 0.0  # seconds for which it has been waited for
        self.seconds = 0.0
        self.response: Mapping[str, Any] | None = None
        self.error: BaseException | None = None
        self._report = report

    def make(self, queue_url: str, client_factory: ClientFactory) -> bool:
        """Make the call; return whether its thread may continue. Never raises."""
        try:
            if self.client is None:
                self.client = client_factory()
                self._report(Opened(self.client))
            messages = [_message(index, entry) for index, entry in enumerate(self.entries)]
            started = time.perf_counter()
            self.response = self.client.send_message_batch(QueueUrl=queue_url, Entries=messages)
            self.seconds = time.perf_counter() - started
        except BaseException as error:  # noqa: BLE001 - whatever it is, the entries are retried or counted
            self.error = error
        self._report(self)
        return not self.ends_thread

    @property
    def ends_thread(self) -> bool:
        """Whether the call raised an exception, such as `SystemExit`, that is meant to end its thread."""
        return self.error is not None and not isinstance(self.error, Exception)


def _message(index: int, entry: Entry) -> dict[str, Any]:
    message: dict[str, Any] = {"Id": str(index), "MessageBody": entry.body.decode()}
    if entry.trace_header is not None:
        attribute = {"DataType": "String", "StringValue": entry.trace_header}
        message["MessageSystemAttributes"] = {TRACE_HEADER: attribute}
    return message


Report = Callable[[Call | Opened], None]


def results(
    entries: Sequence[Entry], response: Any
) -> tuple[Sequence[Entry], Sequence[Entry], Sequence[Entry], Sequence[str]]:
    """Return the entries that were sent, were refused and are to be sent again, and the codes of those that failed.

    Raises if the response is malformed.
    """
    by_id = {str(index): entry for index, entry in enumerate(entries)}
    sent = by_id.keys() & {result["Id"] for result in response.get("Successful") or ()}
    failed = {result["Id"]: result for result in response.get("Failed") or ()}
    refused = by_id.keys() & {key for key, result in failed.items() if result.get("SenderFault")} - sent
    return (
        [by_id[key] for key in sent],
        [by_id[key] for key in refused],
        # An entry that the response does not mention may not have arrived, and twice is better than never.
        [entry for key, entry in by_id.items() if key not in sent and key not in refused],
        [str(result.get("Code")) for result in failed.values()],
    )
