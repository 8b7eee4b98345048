"""Which incidents are held or erased, as the consumer asks for each message."""

from collections.abc import Mapping, Sequence
from typing import Final

from recommendation_shared.envelope.field_rules import identifier
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.holds import Hold, read_hold
from recommendation_shared.item.marks import State, mark_key

_UNKNOWN: Final = Hold("", "", "")  # as of an item that has no room for it


class Standings:
    """What the consumer must know of all marks: it is empty, and costs nothing to ask, while no incident is marked."""

    def __init__(self, items: Sequence[Mapping[str, AttributeValue]] = ()) -> None:
        """Read the index's items: their key and `metadata`. `unreadable` counts those that are not valid marks.

        What is held without a valid hold is held all the same.
        """
        self._held: dict[str, Hold] = {}
        self._erased: set[str] = set()
        self.unreadable = 0
        for item in items:
            try:
                self._add(item)
            except (KeyError, TypeError, ValueError):
                self.unreadable += 1

    def _add(self, item: Mapping[str, AttributeValue]) -> None:
        standing = item["metadata"]["M"]
        state, key = State(standing["state"]["S"]), item[PARTITION_KEY]["S"]
        if state in {State.ERASING, State.ERASED}:
            self._erased.add(key)
        elif state is State.HELD:
            hold, incident_id = read_hold(standing), identifier(standing["incidentId"]["S"])
            self._held[incident_id] = _UNKNOWN if hold is None else hold
            self.unreadable += hold is None

    def hold(self, incident_id: str) -> Hold | None:
        """Return the hold of an incident, or None."""
        return self._held.get(incident_id)

    def is_erased(self, incident_id: str) -> bool:
        """Return whether nothing of this incident may be stored."""
        return bool(self._erased) and mark_key(incident_id) in self._erased

    @property
    def knows_erasures(self) -> bool:
        """Whether any incident was erased."""
        return bool(self._erased)
