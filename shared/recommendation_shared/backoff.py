"""Full jitter: random delays between retries."""

from collections.abc import Callable, Iterator
from itertools import count, islice

_MAX_DOUBLINGS = 30  # far beyond any cap, yet within a float's range


def full_jitter(
    random: Callable[[], float], *, base: float, cap: float, attempts: int | None = None
) -> Iterator[float]:
    """Yield the delays in seconds between `attempts` attempts, or endlessly if `attempts` is None.

    Each delay is random between 0 and a ceiling that doubles from `base` up to `cap` (seconds). `random` returns a
    number from 0 to 1. Full jitter is best at spreading out clients that were throttled together (AWS Architecture
    Blog, "Exponential Backoff And Jitter").
    """
    delays = (random() * min(cap, base * 2 ** min(retry, _MAX_DOUBLINGS)) for retry in count())
    return delays if attempts is None else islice(delays, attempts - 1)
