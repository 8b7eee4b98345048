"""The month's work whose bill `recs cost` computes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workload:
    """A month's work. `size` is the bytes of one envelope; `reads` counts incidents listed in full."""

    incidents: int
    agents: int = 7
    size: int = 5 * 1024
    days_kept: int = 90
    reads: int = 10_000
    incident_metrics: bool = True
    compact: bool = False
    kms: bool = False

    @property
    def recommendations(self) -> int:
        """How many recommendations a month brings."""
        return self.incidents * self.agents
