"""Read several listings at the same time: on AWS, a page of results takes a tenth of a second, most of it waiting."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import Empty, Queue, SimpleQueue
from random import random
from threading import Event, Lock, Thread
from typing import Final, NamedTuple

from recommendation_cli.aws.connection import CONNECTIONS
from recommendation_cli.search.division import Rest, divided
from recommendation_cli.search.queries import ItemPage, Listing, Search
from recommendation_cli.search.several import Batches
from recommendation_shared.aws_errors import error_code, throttling_codes
from recommendation_shared.backoff import full_jitter
from recommendation_shared.item.attribute_value import AttributeValue

_READERS: Final = CONNECTIONS
# Of one listing. A page of 1 MB takes DynamoDB some 60 to 100 ms, and it reads no more than 3,000 units (23 MB) a
# second under one key, so a third reader would only be throttled.
_AT_ONCE: Final = 2
_AHEAD: Final = 2 * _READERS  # pages that were read and not yet taken; at least one more for each reader to end with

Delays = Callable[[], Iterator[float]]
"""Returns the seconds between attempts at a page."""


def _patience() -> Iterator[float]:
    """Return the delays between attempts at a page, beyond botocore's own.

    Two readers of one key may exceed what DynamoDB reads under it, and others may read there, too.
    """
    return full_jitter(random, base=0.2, cap=6.4, attempts=8)


def at_once(listings: Sequence[Listing], delays: Delays = _patience) -> Batches:
    """Yield batches as they arrive, each with its listing; a listing's own are in order.

    Raises what reading a listing raises.
    """
    return _gathered(_Reading(listings, delays, divides=False))


def in_any_order(listings: Sequence[Listing], delays: Delays = _patience) -> Batches:
    """Yield batches as they arrive, each with its listing; a long listing is read at two places at a time.

    Raises what reading a listing raises.
    """
    return _gathered(_Reading(listings, delays, divides=True))


def _gathered(reading: "_Reading") -> Batches:
    readers = _READERS
    try:
        for _ in range(readers):
            Thread(target=reading.read, name="recs-reader", daemon=True).start()  # daemon: Ctrl-C must not wait for AWS
        while readers:
            result = reading.arrived.get()
            if isinstance(result, Exception):
                raise result
            if result is None:
                readers -= 1
            else:
                listing, page = result
                yield listing, listing.take(page)
    finally:
        reading.end()


class _Part(NamedTuple):
    """What is left to read of a listing, or a part of that; it begins after the key `after`."""

    listing: Listing
    search: Search
    after: Mapping[str, AttributeValue] | None = None


class _Reading:
    """What the threads share. Each puts None when there is nothing left to read."""

    def __init__(self, listings: Sequence[Listing], delays: Delays, *, divides: bool) -> None:
        self.arrived: Queue[tuple[Listing, ItemPage] | Exception | None] = Queue(_AHEAD)
        self._delays = delays
        self._divides = divides
        self._waiting: SimpleQueue[_Part | None] = SimpleQueue()
        self._unread: Counter[Listing] = Counter()  # parts that wait or are being read
        self._counting = Lock()
        self._ended = Event()
        self._add([_Part(listing, listing.search) for listing in listings])
        if not listings:
            self._release()

    def read(self) -> None:
        """Read one part after another."""
        try:
            while (part := self._waiting.get()) is not None and not self._ended.is_set():
                for page in self._pages(part):
                    with self._counting:
                        part.listing.count(page)  # here, because DynamoDB bills what nobody takes, too
                    self.arrived.put((part.listing, page))
                    if self._ended.is_set():
                        return
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits for the results
            self.arrived.put(error)
        else:
            self.arrived.put(None)

    def end(self) -> None:
        """Let the threads end: nobody takes what they read any more."""
        self._ended.set()
        self._release()
        try:
            while True:
                self.arrived.get_nowait()
        except Empty:
            pass

    def _pages(self, part: _Part) -> Iterator[ItemPage]:
        """Yield the part's pages, until what follows can be divided."""
        rest: Sequence[Rest] = ()
        for page in self._patiently(part):
            rest = divided(page) if self._divides and self._unread[part.listing] < _AT_ONCE else ()
            yield page
            if rest or part.listing.cut_off:
                break
        # Only now that the page has arrived, because one of them goes on where it ends.
        self._add([_Part(part.listing, search, after) for search, after in rest])
        with self._counting:
            self._unread[part.listing] -= 1
            is_last = self._unread.total() == 0
        if is_last:
            self._release()

    def _patiently(self, part: _Part) -> Iterator[ItemPage]:
        """Yield the part's pages; wait and go on where DynamoDB throttles."""
        from botocore.exceptions import ClientError

        delays, more = self._delays(), True
        while more:
            try:
                for page in part.listing.pages(part.search, part.after):
                    delays, part = self._delays(), _Part(part.listing, page.search, page.last)
                    yield page
                more = False
            except ClientError as error:
                delay = next(delays, None) if error_code(error) in throttling_codes() else None
                if delay is None or self._ended.wait(delay):
                    raise

    def _add(self, parts: Sequence[_Part]) -> None:
        with self._counting:
            self._unread.update(part.listing for part in parts)
        for part in parts:
            self._waiting.put(part)

    def _release(self) -> None:
        for _ in range(_READERS):
            self._waiting.put(None)
