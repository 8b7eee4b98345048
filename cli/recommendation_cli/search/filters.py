"""Filters that apply after reading: no index is by confidence, status or duration, or by agent within an incident."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from recommendation_cli.facts import facts, succeeded


class Filter(NamedTuple):
    """What a document must be to pass; empty, None and false mean that it does not matter.

    Documents without a usable confidence or duration fail a limit on it. Statuses are in capitals; a document without a
    status counts as SUCCESS. `failed` lets only those pass that did not succeed. `least_ms` is in milliseconds.
    """

    agents: tuple[str, ...] = ()
    least_confidence: Decimal | None = None
    most_confidence: Decimal | None = None
    statuses: tuple[str, ...] = ()
    failed: bool = False
    least_ms: int | None = None

    def passes(self, document: Mapping[str, Any]) -> bool:
        """Return whether a document passes."""
        if self.agents and document.get("agentType") not in self.agents:
            return False
        return self._passes_confidence(document) and self._passes_facts(document)

    def _passes_confidence(self, document: Mapping[str, Any]) -> bool:
        least, most = self.least_confidence, self.most_confidence
        if least is None and most is None:
            return True
        confidence = exact_confidence(document)
        if confidence is None:
            return False
        return (least is None or confidence >= least) and (most is None or confidence <= most)

    def _passes_facts(self, document: Mapping[str, Any]) -> bool:
        if not self.statuses and not self.failed and self.least_ms is None:
            return True
        known = facts(document)
        if self.statuses and (known.status.upper() or "SUCCESS") not in self.statuses:
            return False
        if self.failed and succeeded(known.status):
            return False
        return self.least_ms is None or (known.duration_ms is not None and known.duration_ms >= self.least_ms)

    def __str__(self) -> str:
        """Return the filter in words."""
        parts = (
            f"agent {' or '.join(self.agents)}" if self.agents else "",
            "" if self.least_confidence is None else f"confidence of at least {self.least_confidence}",
            "" if self.most_confidence is None else f"confidence of at most {self.most_confidence}",
            f"status {' or '.join(self.statuses).lower()}" if self.statuses else "",
            "not successful" if self.failed else "",
            "" if self.least_ms is None else f"a duration of at least {self.least_ms / 1000:g} s",
        )
        return ", ".join(filter(None, parts))


def exact_confidence(document: Mapping[str, Any]) -> int | Decimal | None:
    """Return the confidence if it is a number from 0 to 1, otherwise None."""
    confidence = document.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | Decimal) or not 0 <= confidence <= 1:
        return None
    return confidence
