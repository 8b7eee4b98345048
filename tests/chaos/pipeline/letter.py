"""What is accounted for: one envelope or other message body, with what must become of it."""

from dataclasses import asdict, dataclass
from typing import Any, Final

SEND_FAILED: Final = "send_failed"
ID_CONFLICT: Final = "IdConflict"


@dataclass(frozen=True, slots=True)
class Letter:
    """`item` is the SHA-256 of the item that it must become, None if none may; `body` that of its message.

    `reason` is the one that its dead letter must name, None if there may be no dead letter. `dropped` is the
    producer's reason for refusing it, None if it was accepted.
    """

    name: str
    kind: str
    recommendation_id: str | None = None
    item: str | None = None
    body: str | None = None
    reason: str | None = None
    dropped: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What lies in the dead-letter queue. `reason` is its `failureReason`; `receives` counts those of the queue.

    A message that the redrive policy moved has no reason, and as many receives as the policy allows.
    """

    body: str  # its SHA-256
    reason: str | None
    receives: int
