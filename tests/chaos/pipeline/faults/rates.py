"""Which faults there are, where and how often they strike, and the seeded dice that decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

# Calls, as the faults are drawn for them. A dead letter is a SendMessageBatch too, and has faults of its own.
SEND: Final = "SendMessageBatch"
DEAD_LETTER: Final = "SendMessageBatch (DLQ)"
RECEIVE: Final = "ReceiveMessage"
DELETE: Final = "DeleteMessageBatch"
WRITE: Final = "BatchWriteItem"
WRITE_ONE: Final = "PutItem"
KILL: Final = "consumer killed"  # counted with the faults, but not one of a call

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rates:
    """The chance of each fault, for each call that it can strike; a call suffers at most one.

    The sum for one call stays near 0.1: a message that fails at five receives in a row goes to the dead-letter queue
    without a reason, and at twice the rates a handful of 50,000 would do so by chance.
    """

    latency: float = 0.05  # up to `latency_seconds`, then all goes well
    reset_before: float = 0.01  # the connection is reset, and the service never sees the call
    reset_after: float = 0.01  # the service acts, and the connection is reset before it can say so
    response_lost: float = 0.002  # the service acts, and the caller hears nothing for `silence_seconds`
    error_500: float = 0.01  # the service never sees the call
    throttled: float = 0.02  # nor this one
    unprocessed: float = 0.08  # a random part of a BatchWriteItem comes back as UnprocessedItems, unwritten
    entries_failed: float = 0.02  # a random part of a SendMessageBatch comes back as Failed, unsent
    entry_refused: float = 0.003  # one entry comes back as Failed by its sender's fault, which no retry can help
    delivered_twice: float = 0.02  # a message is delivered again while its first delivery is under way
    redelivered: float = 0.02  # a message is delivered again after it was deleted
    dlq_failing: float = 0.1  # the dead-letter queue answers with HTTP 500

    latency_seconds: float = 0.3
    silence_seconds: float = 3.0


_ANY_CALL: Final = ("latency", "reset_before", "reset_after", "response_lost", "error_500", "throttled")
STRIKES: Final = {
    SEND: (*_ANY_CALL, "entries_failed", "entry_refused"),
    DEAD_LETTER: (*_ANY_CALL, "entries_failed", "dlq_failing"),
    RECEIVE: (*_ANY_CALL, "delivered_twice", "redelivered"),
    DELETE: _ANY_CALL,
    WRITE: (*_ANY_CALL, "unprocessed"),
    WRITE_ONE: _ANY_CALL,
}
KINDS: Final = tuple(dict.fromkeys(fault for faults in STRIKES.values() for fault in faults))
DELIVERED_AGAIN: Final = frozenset({"delivered_twice", "redelivered"})
IN_PLACE_OF_THE_SERVICE: Final = frozenset({"error_500", "dlq_failing", "throttled"})


class Split(NamedTuple):
    """A batch in two parts."""

    withheld: list[Any]
    kept: list[Any]


class Dice:
    """Decides by a seed. Each call has a sequence of its own, so what strikes one does not depend on the others.

    The order in which calls arrive still differs from run to run, and with it which message a fault meets.
    """

    def __init__(self, seed: int, rates: Rates) -> None:
        self._rates = rates
        self._seed = seed
        self._sequences: dict[str, Random] = {}

    def fault(self, call: str) -> str | None:
        """Return the fault that strikes this call, if any."""
        left = self._sequence(call).random()
        for fault in STRIKES.get(call, ()):
            left -= getattr(self._rates, fault)
            if left < 0:
                return fault
        return None

    def latency(self) -> float:
        """Return the seconds by which a call is late."""
        return self._sequence("latency").random() * self._rates.latency_seconds

    @property
    def silence(self) -> float:
        """Seconds without an answer."""
        return self._rates.silence_seconds

    def split(self, batch: Sequence[Any], most: int | None = None) -> Split:
        """Withhold a random part of a batch: at least one, and at most `most` or all."""
        sequence = self._sequence("split")
        count = sequence.randint(1, min(len(batch), most or len(batch)))
        chosen = set(sequence.sample(range(len(batch)), count))
        return Split(
            [one for index, one in enumerate(batch) if index in chosen],
            [one for index, one in enumerate(batch) if index not in chosen],
        )

    def one_of(self, several: Sequence[_T]) -> _T:
        """Return any of them."""
        return self._sequence("choice").choice(several)

    def _sequence(self, name: str) -> Random:
        return self._sequences.setdefault(name, Random(f"{self._seed}/{name}"))  # noqa: S311 - chance, not secrets
