"""How long to wait between attempts."""

import random
from collections.abc import Callable, Iterator
from typing import Final

BASE: Final = 0.1  # seconds
CAP: Final = 5.0  # seconds
# With the delays above: about 13 s on average, after which the sender gives a batch up.
ATTEMPTS: Final = 10


def full_jitter(
    jitter: Callable[[], float] = random.random, *, base: float = BASE, cap: float = CAP, attempts: int = ATTEMPTS
) -> Iterator[float]:
    """Yield the delays in seconds between `attempts` attempts; `jitter` gives numbers from 0 to 1.

    Full jitter spreads the retries of many sandboxes best (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """
    for attempt in range(attempts - 1):
        yield jitter() * min(cap, base * 2**attempt)
