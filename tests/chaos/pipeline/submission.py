"""A submission: the envelope or body that the ledger accounts for, with its expected end."""

from dataclasses import asdict, dataclass
from typing import Any, Final

SEND_FAILED: Final = "send_failed"
ID_CONFLICT: Final = "IdConflict"


@dataclass(frozen=True, slots=True)
class Submission:
    """An envelope given to the producer, or a body put into the queue directly, with its expected end.

    `item` is the SHA-256 of the item that must be stored, None if none may be; `body` is the SHA-256 of the message
    body. `reason` is the `failureReason` that its dead letter must have, None if there may be no dead letter.
    `dropped` is the producer's reason for refusing it, None if it was accepted.
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
