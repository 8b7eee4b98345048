"""What a run is given: how much, for how long, by which seed, and how fast SQS and Lambda tick."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_SMALL: Final = 5_000  # envelopes; a run of fewer is to end within seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are in seconds. Every field is plain, so that processes can be told by their command line."""

    folder: str  # of the journal and the logs
    day: str  # of the executions, as 2026-01-31
    seed: int
    envelopes: int
    consumers: int
    minutes: float  # after which the run stops, wherever it is
    batch: int  # messages of one invocation at most
    visibility: int  # longer than an invocation, as it has to be
    function_timeout: float
    messages_per_kill: int  # on average; many more than a batch, of which all fail
    buffer: int  # envelopes that the producer holds; a small one, so that it overflows
    queued: int  # messages that may wait: an emulator's receive takes longer the more of them there are
    broken: str = ""  # name of a deliberate fault of the consumer, see `broken`

    @classmethod
    def of(cls, *, envelopes: int, **given: Any) -> Self:
        """Choose the times that suit the size."""
        small = envelopes < _SMALL
        return cls(
            envelopes=envelopes,
            batch=20 if small else 40,
            visibility=4 if small else 10,
            function_timeout=2.5 if small else 4.0,
            messages_per_kill=150 if small else 1_000,
            buffer=max(50, min(500, envelopes // 20)),
            queued=4_000,
            **given,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return the plan as one argument of a command line."""
        return json.dumps(asdict(self))
