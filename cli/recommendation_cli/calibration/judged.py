"""Recommendations that people judged, added up: the share that helped, how certain that is, and the Brier score."""

from array import array
from dataclasses import dataclass, field
from math import fsum, sqrt
from typing import Final, Literal, NamedTuple

FEW: Final = 12  # the first count whose interval is always narrower than half of the scale from 0 to 1
_Z: Final = 1.959964  # standard deviations that hold 95 % of a normal distribution

Finding = Literal["too few", "consistent", "overconfident", "underconfident"]


class Interval(NamedTuple):
    """Where a share lies with a confidence of 95 %, from 0 to 1."""

    low: float
    high: float


def wilson(total: float, count: int) -> Interval:
    """Return Wilson's interval of a share: `total` is the sum of `count` outcomes, each from 0 to 1; `count` is not 0.

    It is meant for outcomes of 0 or 1. With others in between it is too wide rather than too narrow, because no
    variable from 0 to 1 with the same mean varies more than one that is only 0 or 1.
    """
    share, spread = total / count, _Z * _Z / count
    centre = share + spread / 2
    reach = sqrt(spread * (share * (1 - share) + spread / 4))
    return Interval(max(0.0, (centre - reach) / (1 + spread)), min(1.0, (centre + reach) / (1 + spread)))


@dataclass(slots=True)
class Judged:
    """Sums over recommendations that were judged."""

    count: int = 0
    helpful: float = 0.0  # sum of the outcomes

    def count_outcome(self, outcome: float) -> None:
        """Count a recommendation."""
        self.count += 1
        self.helpful += outcome

    @property
    def share(self) -> float | None:
        """The mean outcome, from 0 to 1; None without any."""
        return self.helpful / self.count if self.count else None

    @property
    def interval(self) -> Interval | None:
        """The interval of the share; None without any."""
        return wilson(self.helpful, self.count) if self.count else None


@dataclass(slots=True)
class Stated(Judged):
    """Judged recommendations whose agents had stated a usable confidence; their order makes no difference."""

    _stated: "array[float]" = field(default_factory=lambda: array("d"))
    _squared_errors: "array[float]" = field(default_factory=lambda: array("d"))

    def count_stated(self, outcome: float, confidence: float) -> None:
        """Count a recommendation and its confidence, from 0 to 1."""
        self.count_outcome(outcome)
        self._stated.append(confidence)
        self._squared_errors.append((confidence - outcome) ** 2)

    @property
    def confidence(self) -> float | None:
        """The mean confidence, from 0 to 1; None without any."""
        return fsum(self._stated) / self.count if self.count else None

    @property
    def brier(self) -> float | None:
        """The Brier score: 0 is perfect, 0.25 is what always saying 0.5 of yes or no gets, and 1 is the worst."""
        return fsum(self._squared_errors) / self.count if self.count else None

    @property
    def finding(self) -> Finding | None:
        """Whether the mean confidence lies within the interval of what really helped; None without any."""
        if self.interval is None or self.confidence is None:
            return None
        if self.count < FEW:
            return "too few"
        if self.confidence > self.interval.high:
            return "overconfident"
        return "underconfident" if self.confidence < self.interval.low else "consistent"
