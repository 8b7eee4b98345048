"""`--since` and `--until`: moments, relative or of the user's own zone, as sort keys of the table."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from recommendation_shared.envelope.identity import EPOCH, parse_instant, sort_key

Localise = Callable[[datetime], datetime]
"""Returns a naive time of the user's zone, or any instant, as an aware time of that zone."""

_RELATIVE: Final = re.compile(r"([0-9]+)([mhdw])", re.ASCII)
_TIME_OF_DAY: Final = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)(:\d\d(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


class Period(NamedTuple):
    """The first and the last sort key that count, both inclusive; None leaves that side open."""

    since: str | None = None
    until: str | None = None

    def text(self, localise: Localise) -> str:
        """Return it in UTC, and in the user's zone where that is another."""
        bounds = (("since", self.since), ("until", self.until))
        return ", ".join(f"{name} {_both(bound, localise)}" for name, bound in bounds if bound is not None)


def parse_moment(text: str, now: float, localise: Localise, *, end_of_day: bool) -> str:
    """Return the sort key of a moment; `now` is in epoch seconds.

    `90m`, `24h`, `7d` and `2w` lie that long before `now`. Without an offset, times and dates are of the user's zone:
    a time of day is the last one before `now`; a bare date is its first moment, or its last when `end_of_day` is set.
    Raises `ValueError`, whose text is the rule.
    """
    try:
        return sort_key(_moment(text, EPOCH + timedelta(seconds=now), localise, end_of_day=end_of_day))
    except (ValueError, OverflowError):
        zone = localise(EPOCH + timedelta(seconds=now)).tzname()
        raise ValueError(
            "use 30m, 24h, 7d or 2w; a date (2026-01-31) or a time (2026-01-31T12:00, or just 12:00) of your zone,"
            f" which is {zone}; or a time with an offset (2026-01-31T12:00Z, 2026-01-31T12:00+02:00)"
        ) from None


def _moment(text: str, now: datetime, localise: Localise, *, end_of_day: bool) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return now - int(relative[1]) * _UNITS[relative[2]]
    if _TIME_OF_DAY.fullmatch(text) is not None:
        today = localise(now).date()
        latest = _local(f"{today}T{text}", localise)
        return latest if latest <= now else _local(f"{today - _DAY}T{text}", localise)
    if _DATE.fullmatch(text) is not None:
        day = parse_instant(f"{text}T00:00:00").date()
        return _local(f"{day + _DAY}T00:00", localise) - _INSTANT if end_of_day else _local(f"{day}T00:00", localise)
    return _local(text, localise)


def _local(text: str, localise: Localise) -> datetime:
    """Return the instant of a full time; one without an offset is of the user's zone."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    minutes, seconds, offset = found.groups()
    instant = parse_instant(f"{minutes}{seconds or ':00'}{offset or ''}")
    return instant if offset else localise(instant.replace(tzinfo=None)).astimezone(EPOCH.tzinfo)


def _both(bound: str, localise: Localise) -> str:
    instant = parse_instant(bound)
    local = localise(instant)
    utc = f"{instant:%Y-%m-%d %H:%M:%S} UTC"
    return utc if not local.utcoffset() else f"{utc} ({local:%Y-%m-%d %H:%M:%S %Z})"
