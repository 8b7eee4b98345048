"""A clock for `recs` that makes no test wait."""

from tests.support.fakes.recommendation_table import NOW


class Clock:
    """A clock that advances only during `sleep`."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self.passed

    def now(self) -> float:
        """Return epoch seconds."""
        return NOW.timestamp() + self.passed

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.slept.append(seconds)
        self.passed += seconds
