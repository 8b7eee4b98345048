"""A producer that keeps what it is given instead of sending it."""

from typing import Any

from recommendation_producer import Outcome
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope


class KeepingProducer:
    """Keeps the fields of every valid envelope, and counts the others."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.invalid = 0

    def enqueue(self, **fields: Any) -> Outcome:
        """Validate as the real producer does."""
        try:
            message = write_envelope(**fields)
        except (TypeError, ValueError):
            self.invalid += 1
            return Outcome(accepted=False, reason="invalid")
        self.kept.append(read_envelope(message.body))
        return Outcome(accepted=True, recommendation_id=message.recommendation_id)
