"""How long to wait between attempts."""

import random
from collections.abc import Callable, Iterator
from typing import Final

BASE: Final = 0.1  # seconds
CAP: Final = 2.0  # seconds; no longer than a drain, which would otherwise wait for no attempt at all
# With the delays above about 95 s on average, of a sandbox that is awake; then the sender gives a batch up. It can wait
# that long because the buffer is bounded, and bounded it must be, or a batch that can never go would block the others.
ATTEMPTS: Final = 100


def full_jitter(
    jitter: Callable[[], float] = random.random, *, base: float = BASE, cap: float = CAP, attempts: int = ATTEMPTS
) -> Iterator[float]:
    """Yield the delays in seconds between `attempts` attempts; `jitter` gives numbers from 0 to 1.

    Full jitter spreads the retries of many sandboxes best (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """
    for attempt in range(attempts - 1):
        yield jitter() * min(cap, base * 2**attempt)
