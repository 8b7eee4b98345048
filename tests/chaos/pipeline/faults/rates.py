"""The kinds of faults, the calls they affect and how often, and the seeded dice that decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

# The calls for which faults are drawn. A dead letter is sent by SendMessageBatch too, but has its own rates.
SEND: Final = "SendMessageBatch"
DEAD_LETTER: Final = "SendMessageBatch (DLQ)"
RECEIVE: Final = "ReceiveMessage"
DELETE: Final = "DeleteMessageBatch"
WRITE: Final = "BatchWriteItem"
WRITE_ONE: Final = "PutItem"
READ_MARKS: Final = "Query"  # suffers no fault: once a minute is too seldom to prove anything
KILL: Final = "consumer killed"  # counted with the faults, although it affects no call

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rates:
    """The probability of each fault, for each call that it can affect; a call suffers at most one.

    The sum for one call stays near 0.1. A message that fails five receives in a row goes to the dead-letter queue
    without a reason, and at twice these rates a handful of 50,000 would do so by chance.
    """

    latency: float = 0.05  # the call succeeds, up to `latency_seconds` late
    reset_before: float = 0.01  # the connection is reset, and the service never sees the call
    reset_after: float = 0.01  # the service acts, and the connection is reset before its response
    response_lost: float = 0.002  # the service acts, and the caller gets no response for `silence_seconds`
    error_500: float = 0.01  # the service never sees the call
    throttled: float = 0.02  # the service never sees the call
    unprocessed: float = 0.08  # a random part of a BatchWriteItem is returned as UnprocessedItems, unwritten
    entries_failed: float = 0.02  # a random part of a SendMessageBatch is returned as Failed, unsent
    entry_refused: float = 0.003  # one entry is returned as Failed with SenderFault, so that no retry can help
    delivered_twice: float = 0.02  # a message is delivered again while its first delivery is in flight
    redelivered: float = 0.02  # a message is delivered again after it was deleted
    dlq_failing: float = 0.1  # the dead-letter queue responds with HTTP 500
    truncated: float = 0.005  # the service acts, and half of its response arrives
    killed_sending: float = 0.02  # the queue takes a dead letter, and its sender is killed before the response

    latency_seconds: float = 0.3
    silence_seconds: float = 3.0


_ANY_CALL: Final = ("latency", "reset_before", "reset_after", "response_lost", "error_500", "throttled")
FAULTS_OF: Final = {
    SEND: (*_ANY_CALL, "entries_failed", "entry_refused"),
    DEAD_LETTER: (*_ANY_CALL, "entries_failed", "dlq_failing", "killed_sending"),
    RECEIVE: (*_ANY_CALL, "delivered_twice", "redelivered"),
    DELETE: _ANY_CALL,
    WRITE: (*_ANY_CALL, "unprocessed", "truncated"),
    WRITE_ONE: (*_ANY_CALL, "truncated"),
}
KINDS: Final = tuple(dict.fromkeys(fault for faults in FAULTS_OF.values() for fault in faults))
DELIVERED_AGAIN: Final = frozenset({"delivered_twice", "redelivered"})
IN_PLACE_OF_THE_SERVICE: Final = frozenset({"error_500", "dlq_failing", "throttled"})


class Split(NamedTuple):
    """A batch in two parts: entries that the service must not see, and those that are forwarded."""

    withheld: list[Any]
    forwarded: list[Any]


class Dice:
    """Draws faults from a seed. Each call has its own sequence, so its faults do not depend on other calls.

    The order in which calls arrive still differs from run to run, and so do the messages that a fault hits.
    """

    def __init__(self, seed: int, rates: Rates) -> None:
        self._rates = rates
        self._seed = seed
        self._sequences: dict[str, Random] = {}

    def fault(self, call: str) -> str | None:
        """Draw the fault for this call, or None."""
        remainder = self._sequence(call).random()
        for fault in FAULTS_OF.get(call, ()):
            remainder -= getattr(self._rates, fault)
            if remainder < 0:
                return fault
        return None

    def latency(self) -> float:
        """Draw the seconds by which a call is delayed."""
        return self._sequence("latency").random() * self._rates.latency_seconds

    @property
    def silence(self) -> float:
        """The seconds without a response."""
        return self._rates.silence_seconds

    def split(self, batch: Sequence[Any], most: int | None = None) -> Split:
        """Withhold a random part of a batch: at least one entry, and at most `most` or all."""
        sequence = self._sequence("split")
        count = sequence.randint(1, min(len(batch), most or len(batch)))
        chosen = set(sequence.sample(range(len(batch)), count))
        return Split(
            [entry for index, entry in enumerate(batch) if index in chosen],
            [entry for index, entry in enumerate(batch) if index not in chosen],
        )

    def choose(self, candidates: Sequence[_T]) -> _T:
        """Return a random candidate."""
        return self._sequence("choice").choice(candidates)

    def _sequence(self, name: str) -> Random:
        return self._sequences.setdefault(name, Random(f"{self._seed}/{name}"))
