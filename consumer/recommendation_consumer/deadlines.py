"""The deadlines of an invocation's two phases: writing items, then sending dead letters."""

from typing import Final, NamedTuple

# The time that an invocation reserves at its end, in seconds: for dead letters, then for logging and the response.
# With little time left, a share of it is reserved instead.
_DEAD_LETTER_TIME: Final = 2.0
_RESPONSE_TIME: Final = 1.0
_DEAD_LETTER_SHARE: Final = 0.2
_RESPONSE_SHARE: Final = 0.1


class Deadlines(NamedTuple):
    """When to stop writing items, and when to stop sending dead letters: seconds on the caller's clock."""

    write: float
    dead_letters: float


def deadlines(now: float, remaining_ms: int) -> Deadlines:
    """Divide the remaining time, in milliseconds, so that the invocation responds before Lambda kills it.

    `now` is in seconds.
    """
    remaining = remaining_ms / 1000
    dead_letters = now + remaining - min(_RESPONSE_TIME, remaining * _RESPONSE_SHARE)
    return Deadlines(dead_letters - min(_DEAD_LETTER_TIME, remaining * _DEAD_LETTER_SHARE), dead_letters)
