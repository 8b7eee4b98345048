"""`--since` and `--until`: parsing points in time, and periods of sort keys."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from recommendation_shared.envelope.identity import EPOCH, parse_instant, sort_key

Localise = Callable[[datetime], datetime]
"""Returns a naive local time, or any instant, as an aware time in the user's zone."""

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
    """The first and the last sort key, both inclusive; None leaves that side open."""

    since: str | None = None
    until: str | None = None

    def text(self, localise: Localise) -> str:
        """Return the period in words: in UTC, and in the user's zone if that differs."""
        bounds = (("since", self.since), ("until", self.until))
        return ", ".join(f"{name} {_in_both_zones(bound, localise)}" for name, bound in bounds if bound is not None)


def parse_moment(text: str, now: float, localise: Localise, *, end_of_day: bool) -> str:
    """Return the sort key of a point in time; `now` is in epoch seconds.

    `90m`, `24h`, `7d` and `2w` mean that long before `now`. Times and dates without an offset are local. A time of day
    means its last occurrence before `now`; a date alone means the start of that day, or its end if `end_of_day` is set.
    Raises `ValueError` with a text that says what is allowed.
    """
    try:
        return sort_key(_moment(text, EPOCH + timedelta(seconds=now), localise, end_of_day=end_of_day))
    except (ValueError, OverflowError):
        zone = localise(EPOCH + timedelta(seconds=now)).tzname()
        raise ValueError(
            "use 30m, 24h, 7d or 2w; a date (2026-01-31) or a time (2026-01-31T12:00, or just 12:00) in your time zone,"
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
    """Return the instant of a date and time, which is local unless it has an offset."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    minutes, seconds, offset = match.groups()
    instant = parse_instant(f"{minutes}{seconds or ':00'}{offset or ''}")
    return instant if offset else localise(instant.replace(tzinfo=None)).astimezone(EPOCH.tzinfo)


def _in_both_zones(bound: str, localise: Localise) -> str:
    instant = parse_instant(bound)
    local = localise(instant)
    utc = f"{instant:%Y-%m-%d %H:%M:%S} UTC"
    return utc if not local.utcoffset() else f"{utc} ({local:%Y-%m-%d %H:%M:%S %Z})"
