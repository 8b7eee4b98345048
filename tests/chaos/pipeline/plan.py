"""The parameters of a run: size, seed, time limit, and the timeouts of SQS and Lambda."""

import json
import math
import time
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_MOST: Final = 5.0  # times the usual timeouts
_SAMPLE: Final = 0.3  # seconds of CPU time
_SMALL: Final = 5_000  # envelopes; a smaller run has shorter timeouts, so that it ends within seconds


def slowness() -> float:
    """Return how many times as long as alone a process takes now, because others use the machine, too.

    Timeouts that ignored that would move messages to the dead-letter queue for no fault of the consumer's.
    """
    started, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < _SAMPLE:
        pass
    return (time.perf_counter() - started) / _SAMPLE


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are in seconds. Every field is a plain value, so that a process can receive it on its command line."""

    folder: str  # of the journal and the logs
    day: str  # of the executions, as 2026-01-31
    seed: int
    envelopes: int
    consumers: int
    minutes: float  # without any progress, until the run gives up
    batch: int  # messages in an invocation, at most
    visibility: int  # timeout; must be longer than an invocation
    function_timeout: float
    messages_per_kill: int  # on average; many more than a batch, because a kill fails a whole batch
    messages_per_touch: int  # between two edits or deletions by hand
    buffer: int  # envelopes that the producer may hold; small, so that it overflows
    queued: int  # messages that may wait; the emulator's receives slow down as more wait
    broken: str = ""  # a key of `broken_consumers.BREAKS`

    @classmethod
    def of(cls, *, envelopes: int, slowness: float = 1.0, **given: Any) -> Self:
        """Choose the timeouts for the size, and for a machine that takes `slowness` times as long as an idle one."""
        small = envelopes < _SMALL
        slowness = min(max(slowness, 1.0), _MOST)
        return cls(
            envelopes=envelopes,
            batch=20 if small else 40,
            visibility=math.ceil((4 if small else 10) * slowness),
            function_timeout=(2.5 if small else 4.0) * slowness,
            messages_per_kill=150 if small else 1_000,
            messages_per_touch=50 if small else 200,
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
