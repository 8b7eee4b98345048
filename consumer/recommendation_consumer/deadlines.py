"""The points in time by which the phases of an invocation must end."""

from typing import Final, NamedTuple

# What an invocation reserves at its end, in seconds: time to send dead letters, then to log and to respond.
# A function with little time left reserves a share of it instead.
_DEAD_LETTER_TIME: Final = 2.0
_RESPONSE_TIME: Final = 1.0
_DEAD_LETTER_SHARE: Final = 0.2
_RESPONSE_SHARE: Final = 0.1


class Deadlines(NamedTuple):
    """When writing items must end, and when sending dead letters must: seconds on the caller's clock."""

    write: float
    dead_letters: float


def deadlines(now: float, remaining_ms: int) -> Deadlines:
    """Divide the time that Lambda leaves an invocation, so that it responds before it is killed."""
    remaining = remaining_ms / 1000
    dead_letters = now + remaining - min(_RESPONSE_TIME, remaining * _RESPONSE_SHARE)
    return Deadlines(dead_letters - min(_DEAD_LETTER_TIME, remaining * _DEAD_LETTER_SHARE), dead_letters)
