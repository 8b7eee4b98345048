"""Filters that apply after reading: no index is by confidence, or by agent within an incident."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple


class Filter(NamedTuple):
    """Agent types (empty means all) and the least confidence, which documents without a usable confidence fail."""

    agents: tuple[str, ...] = ()
    least_confidence: Decimal | None = None

    def passes(self, document: Mapping[str, Any]) -> bool:
        """Return whether a document passes."""
        if self.agents and document.get("agentType") not in self.agents:
            return False
        confidence = exact_confidence(document)
        return self.least_confidence is None or (confidence is not None and confidence >= self.least_confidence)

    def __str__(self) -> str:
        """Return the filter in words."""
        agents = f"agent {' or '.join(self.agents)}" if self.agents else ""
        least = "" if self.least_confidence is None else f"confidence of at least {self.least_confidence}"
        return ", ".join(filter(None, (agents, least)))


def exact_confidence(document: Mapping[str, Any]) -> int | Decimal | None:
    """Return the confidence if it is a number from 0 to 1, otherwise None."""
    confidence = document.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | Decimal) or not 0 <= confidence <= 1:
        return None
    return confidence
