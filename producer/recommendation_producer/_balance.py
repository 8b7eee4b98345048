"""The outcome of one envelope, and the balance of all of them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

# Why an envelope was dropped. What is known at `enqueue` is reported in its `Outcome` too.
INVALID: Final = "invalid"
REDACT_FAILED: Final = "redact_failed"
BUFFER_FULL: Final = "buffer_full"
NOT_CONFIGURED: Final = "not_configured"
SHUTDOWN: Final = "shutdown"
# Only the sender knows these.
TOO_LARGE: Final = "too_large"
SEND_FAILED: Final = "send_failed"
CLIENT_UNAVAILABLE: Final = "client_unavailable"  # the host has no botocore, or one that does not work


class Outcome(NamedTuple):  # a frozen dataclass takes twice as long to create, and a millisecond more to import
    """What `enqueue` did with one envelope.

    `reason` is None if the envelope was accepted, else one of this module's constants. `detail` says what to correct:
    it names fields and rules and never contains a value, so it is safe to log.
    """

    accepted: bool
    reason: str | None = None
    recommendation_id: str | None = None
    detail: str | None = None


class Balance(NamedTuple):
    """Counts since the producer was created (in a forked child: since the fork).

    `accepted` counts every envelope handed over, including those that `enqueue` refused, which are also counted in
    `dropped` under their reason. So `accepted == sent + sum(dropped.values()) + pending` holds at every moment.
    `pending` envelopes are buffered or in flight.
    """

    accepted: int
    sent: int
    dropped: Mapping[str, int]
    pending: int
