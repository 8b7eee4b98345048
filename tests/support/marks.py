"""Marks of incidents, and an operator who makes them."""

from typing import Any, Final

from recommendation_shared.item.marks import Entry, Mark, State, moved

ANN: Final = "arn:aws:sts::123456789012:assumed-role/RecommendationCuratorRole/ann"
HELD_AT: Final = "2026-02-01T09:00:00.000000Z"
RELEASED_AT: Final = "2026-02-02T09:00:00.000000Z"


class Sts:
    """Says who is calling: ann, unless another ARN is given."""

    def __init__(self, arn: str = ANN) -> None:
        self._arn = arn

    def get_caller_identity(self) -> dict[str, Any]:
        """Return the caller's ARN."""
        return {"Arn": self._arn}


def held(incident_id: str, reason: str = "Legal hold 42") -> Mark:
    """Return the mark of an incident that ann holds."""
    return moved(None, incident_id, Entry(State.HELD, ANN, HELD_AT, reason))


def released(incident_id: str) -> Mark:
    """Return the mark of an incident that she has released."""
    return moved(held(incident_id), incident_id, Entry(State.RELEASED, ANN, RELEASED_AT, "Settled"))


def erased(incident_id: str) -> Mark:
    """Return the mark of an incident that was erased."""
    mark = moved(None, incident_id, Entry(State.ERASING, ANN, HELD_AT, "Request 7"))
    return moved(mark, incident_id, Entry(State.ERASED, ANN, RELEASED_AT, "Request 7"))
