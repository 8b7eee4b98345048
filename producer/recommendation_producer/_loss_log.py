"""The package's logger, and a rate-limited line about lost recommendations, written on the sender's thread."""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from recommendation_producer._balance import Balance

_INTERVAL: Final = 60.0  # seconds between two lines


class _Logger:
    """The package's logger. It never raises, although a filter or handler of the host may: then a line is lost.

    Otherwise that exception would end the host's import, its flush, or the thread that must ask Lambda for the next
    invocation.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def warning(self, message: str, *args: object) -> None:
        with suppress(Exception):
            self._logger.warning(message, *args)

    def debug(self, message: str, *args: object) -> None:
        with suppress(Exception):
            self._logger.debug(message, *args)


LOGGER: Final = _Logger("recommendation_producer")


class LossLog:
    """Logs how many were dropped since the last line, and the latest cause: counts and codes, never a body."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._logged: Counter[str] = Counter()
        self._logged_at = float("-inf")
        self._cause: str | None = None

    def note(self, cause: str) -> None:
        """Remember the latest cause for the next line."""
        self._cause = cause

    def report(self, balance: Balance) -> None:
        """Log a line if there is news and the last line is old enough."""
        if not balance.dropped and self._cause is None:  # nearly always, and what follows would hold up the next call
            return
        lost = Counter(balance.dropped) - self._logged
        if not lost and self._cause is None:
            return
        if self._clock() - self._logged_at < _INTERVAL:
            return
        self._logged_at = self._clock()
        self._logged = Counter(balance.dropped)
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(lost.items())) or "none"
        cause = f"; latest cause: {self._cause}" if self._cause else ""
        LOGGER.warning("recommendations dropped: %s; pending: %d%s", reasons, balance.pending, cause)
        self._cause = None
