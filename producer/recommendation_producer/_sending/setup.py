"""What a sender is given: by the producer, or by a test."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from recommendation_producer._buffer import Buffer
from recommendation_producer._sending.delivery import CALL, ClientFactory


class Setup(NamedTuple):
    """What the sender works with: `max_age` in seconds, `delays` in seconds between the attempts for a batch.

    `note_batch` is called with the seconds that each successful call took.
    """

    buffer: Buffer
    queue_url: str
    client_factory: ClientFactory
    note_batch: Callable[[float], None]
    max_age: float
    delays: Callable[[], Iterator[float]]
    clock: Callable[[], float]
    call_limit: float = CALL
