"""Which of the documents that a search finds are wanted. They are read all the same: the index has no such key."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple


class Filter(NamedTuple):
    """The agent types (none means all) and the least confidence; a document without a usable one has too little."""

    agents: tuple[str, ...] = ()
    least_confidence: Decimal | None = None

    def passes(self, document: Mapping[str, Any]) -> bool:
        """Tell whether a document is wanted."""
        if self.agents and document.get("agentType") not in self.agents:
            return False
        confidence = exact_confidence(document)
        return self.least_confidence is None or (confidence is not None and confidence >= self.least_confidence)

    def __str__(self) -> str:
        """Return it in words."""
        agents = f"agent {' or '.join(self.agents)}" if self.agents else ""
        least = "" if self.least_confidence is None else f"confidence of at least {self.least_confidence}"
        return ", ".join(filter(None, (agents, least)))


def exact_confidence(document: Mapping[str, Any]) -> int | Decimal | None:
    """Return the confidence when it is a number from 0 to 1, else None."""
    confidence = document.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | Decimal) or not 0 <= confidence <= 1:
        return None
    return confidence
