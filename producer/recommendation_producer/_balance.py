"""What became of the envelopes: the outcome of one, the balance of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

# Why an envelope was dropped. The first six are known at once and stand in its `Outcome` too.
INVALID: Final = "invalid"
TOO_LARGE: Final = "too_large"
REDACT_FAILED: Final = "redact_failed"
BUFFER_FULL: Final = "buffer_full"
NOT_CONFIGURED: Final = "not_configured"
SHUTDOWN: Final = "shutdown"
SEND_FAILED: Final = "send_failed"


class Outcome(NamedTuple):  # a frozen dataclass takes twice as long to make, on every enqueue
    """What `enqueue` did with one envelope.

    `reason` is None when it was accepted, else one of the constants of this module. `detail` says what to correct;
    it names fields and rules and never holds a value, so it may be logged.
    """

    accepted: bool
    reason: str | None = None
    recommendation_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Counts since the producer was made (in a forked child: since the fork).

    `accepted` counts every envelope that was handed over, also those that `enqueue` refused: these stand in
    `dropped` under their reason. So `accepted == sent + sum(dropped.values()) + pending` holds at every moment.
    `pending` envelopes are buffered or on their way.
    """

    accepted: int
    sent: int
    dropped: Mapping[str, int]
    pending: int
