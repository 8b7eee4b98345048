"""The month's work whose bill `recs cost` computes."""

from dataclasses import dataclass

from recommendation_shared.settings import IncidentMetrics


@dataclass(frozen=True, slots=True)
class Workload:
    """A month's work. `size` is the bytes of one envelope; `reads` counts incidents listed in full.

    `reviews` counts those of each incident: by default a verdict on its consensus, and its root cause.

    Only production has a dashboard.
    """

    incidents: int
    agents: int = 7
    size: int = 5 * 1024
    days_kept: int = 90
    reads: int = 10_000
    reviews: int = 2
    incident_metrics: IncidentMetrics = "dimension"
    compact: bool = False
    kms: bool = False
    pager_composite: bool = False
    stage: str = "prod"

    @property
    def recommendations(self) -> int:
        """How many recommendations a month brings."""
        return self.incidents * self.agents
