"""Read several listings at the same time: on AWS, a page of results takes a tenth of a second, most of it waiting."""

from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

from recommendation_cli.search.queries import Document, Listing
from recommendation_cli.search.several import Batches

_READERS: Final = 8  # below the ten connections that botocore keeps


def at_once(listings: Sequence[Listing]) -> Batches:
    """Yield batches as they arrive, each with its listing. Raises what reading a listing raises."""
    reading = _Reading(listings)
    readers = min(_READERS, len(listings))
    for _ in range(readers):
        Thread(target=reading.read, name="recs-ui-reader", daemon=True).start()  # daemon: Ctrl-C must not wait for AWS
    try:
        while readers:
            result = reading.arrived.get()
            if isinstance(result, Exception):
                raise result
            if result is None:
                readers -= 1
            else:
                yield result
    finally:
        reading.stop.set()


class _Reading:
    """What the threads share; each puts None when there is nothing left for it to read."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self._waiting: SimpleQueue[Listing] = SimpleQueue()
        for listing in listings:
            self._waiting.put(listing)
        self.arrived: SimpleQueue[tuple[Listing, list[Document]] | Exception | None] = SimpleQueue()
        self.stop = Event()

    def read(self) -> None:
        """Read one listing after another."""
        try:
            while not self.stop.is_set():
                listing = self._waiting.get_nowait()
                for batch in listing.batches():
                    self.arrived.put((listing, batch))
                    if self.stop.is_set():
                        return
        except Empty:
            self.arrived.put(None)
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits for the results
            self.arrived.put(error)
