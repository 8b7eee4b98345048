"""One SendMessageBatch call, the results of its entries, and the batch they belong to."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from recommendation_producer._buffer import Entry
from recommendation_shared.queue.batches import TRACE_HEADER

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


class Opened(NamedTuple):
    """The report of a new client. It comes before the end of the first call, which may take much longer."""

    client: SqsClient


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


class Results(NamedTuple):
    """The entries of a response, and the codes of those that failed."""

    sent: Sequence[Entry]
    refused: Sequence[Entry]
    to_retry: Sequence[Entry]
    codes: Sequence[str]


def results(entries: Sequence[Entry], response: Any) -> Results:
    """Return the result of each entry; raise if the response is malformed."""
    by_id = {str(index): entry for index, entry in enumerate(entries)}
    sent = by_id.keys() & {result["Id"] for result in response.get("Successful") or ()}
    failed = {result["Id"]: result for result in response.get("Failed") or ()}
    refused = by_id.keys() & {key for key, result in failed.items() if result.get("SenderFault")} - sent
    return Results(
        sent=[by_id[key] for key in sent],
        refused=[by_id[key] for key in refused],
        # An entry that the response does not mention may not have arrived, and twice is better than never.
        to_retry=[entry for key, entry in by_id.items() if key not in sent and key not in refused],
        codes=[str(result.get("Code")) for result in failed.values()],
    )
