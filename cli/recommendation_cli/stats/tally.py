"""What one agent did in a period, added up recommendation by recommendation."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum
from statistics import median, quantiles
from typing import Final, NamedTuple

from recommendation_cli.calibration.track_record import TrackRecord
from recommendation_cli.facts import Facts, succeeded

BUCKETS: Final = 12  # parts of the period, for the course of the confidence
_TIMEOUT: Final = "TIMEOUT"


class Quartiles(NamedTuple):
    """The median, and the quartiles around it."""

    first: float
    median: float
    third: float


def quartiles(values: Sequence[float]) -> Quartiles | None:
    """Return the quartiles of any number of values, None of none."""
    if not values:
        return None
    if len(values) == 1:
        return Quartiles(values[0], values[0], values[0])
    first, _, third = quantiles(values, method="inclusive")
    return Quartiles(first, median(values), third)


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that at least `percent` of the values do not exceed."""
    if not values:
        return None
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


@dataclass(slots=True)
class Tally:
    """Counts and measurements; durations are in milliseconds, costs in US dollars.

    `failed` counts every status but success, `timed_out` the timeouts among them. `concluded` counts the executions
    that reached a consensus, `agreed` those whose consensus does not list the agent among the minority. `track` has
    what people said.
    """

    count: int = 0
    failed: int = 0
    timed_out: int = 0
    concluded: int = 0
    agreed: int = 0
    tokens: int = 0
    costs: "array[float]" = field(default_factory=lambda: array("d"))
    confidences: "array[float]" = field(default_factory=lambda: array("d"))
    durations: "array[float]" = field(default_factory=lambda: array("d"))
    course: "list[array[float]]" = field(default_factory=lambda: [array("d") for _ in range(BUCKETS)])
    track: TrackRecord = field(default_factory=TrackRecord)

    def add(self, facts: Facts, confidence: float | None, bucket: int | None, *, agrees: bool | None) -> None:
        """Count a recommendation; `bucket` is its part of the period, if known, `agrees` None without a consensus."""
        self.count += 1
        self.failed += not succeeded(facts.status)
        self.timed_out += facts.status.upper() == _TIMEOUT
        self.concluded += agrees is not None
        self.agreed += agrees is True
        self.tokens += facts.tokens or 0
        if facts.cost is not None:
            self.costs.append(float(facts.cost))
        if confidence is not None:
            self.confidences.append(confidence)
            if bucket is not None:
                self.course[bucket].append(confidence)
        if facts.duration_ms is not None:
            self.durations.append(float(facts.duration_ms))

    @property
    def usd(self) -> float:
        """The cost of all of them, the same in whatever order they were read."""
        return fsum(self.costs)

    @property
    def agreement(self) -> float | None:
        """The share of the concluded executions that agreed, from 0 to 1; None without any."""
        return self.agreed / self.concluded if self.concluded else None

    def medians(self) -> list[float | None]:
        """Return the median confidence in each part of the period."""
        return [median(values) if values else None for values in self.course]
