"""Delays between retries, and the moments by which an invocation must be done."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

_BASE: Final = 0.05  # seconds
_CAP: Final = 2.0  # seconds
_DOUBLINGS: Final = 6  # after which the cap is reached

# What an invocation keeps back from its writes, in seconds: time to send dead letters, then to log and to answer.
# A function with little time left keeps back a share of it instead.
_DEAD_LETTER_TIME: Final = 2.0
_ANSWER_TIME: Final = 1.0
_DEAD_LETTER_SHARE: Final = 0.2
_ANSWER_SHARE: Final = 0.1


def full_jitter(random: Callable[[], float]) -> Iterator[float]:
    """Yield delays in seconds, for ever: each random from 0 to a ceiling that doubles from 50 ms up to 2 s.

    `random` returns a number from 0 to 1. Full jitter spreads clients that were throttled together (AWS
    Architecture Blog, "Exponential Backoff And Jitter").
    """
    retry = 0
    while True:
        yield random() * min(_CAP, _BASE * 2 ** min(retry, _DOUBLINGS))
        retry += 1


class Deadlines(NamedTuple):
    """Moments on the clock of the caller, in seconds: the last for writing items, the last for dead letters."""

    write: float
    dead_letters: float


def deadlines(now: float, remaining_ms: int) -> Deadlines:
    """Divide what Lambda says is left of an invocation, so that it answers before it is killed."""
    remaining = remaining_ms / 1000
    dead_letters = now + remaining - min(_ANSWER_TIME, remaining * _ANSWER_SHARE)
    return Deadlines(dead_letters - min(_DEAD_LETTER_TIME, remaining * _DEAD_LETTER_SHARE), dead_letters)
