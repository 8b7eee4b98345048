"""The parameters of a run: size, seed, time limit, and the timeouts of SQS and Lambda."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_SMALL: Final = 5_000  # envelopes; a smaller run has shorter timeouts, so that it ends within seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are in seconds. Every field is a plain value, so that a process can receive it on its command line."""

    folder: str  # of the journal and the logs
    day: str  # of the executions, as 2026-01-31
    seed: int
    envelopes: int
    consumers: int
    minutes: float  # time limit of the run
    batch: int  # messages in an invocation, at most
    visibility: int  # timeout; must be longer than an invocation
    function_timeout: float
    messages_per_kill: int  # on average; many more than a batch, because a kill fails a whole batch
    buffer: int  # envelopes that the producer may hold; small, so that it overflows
    queued: int  # messages that may wait; the emulator's receives slow down as more wait
    broken: str = ""  # a key of `broken_consumers.BREAKS`

    @classmethod
    def of(cls, *, envelopes: int, **given: Any) -> Self:
        """Choose the timeouts for the size."""
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
        """Parse the output of `to_json`."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return the plan as a command-line argument."""
        return json.dumps(asdict(self))
