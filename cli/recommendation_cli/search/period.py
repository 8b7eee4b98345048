"""`--since` and `--until`: parsing points in time, and periods of sort keys."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
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
_DAYS_AGO: Final = {"today": timedelta(), "yesterday": _DAY}
_SECOND: Final = timedelta(seconds=1)
_INSTANT: Final = timedelta(microseconds=1)


class Period(NamedTuple):
    """The first and the last sort key, both inclusive; None leaves that side open."""

    since: str | None = None
    until: str | None = None

    def includes(self, timestamp: str) -> bool:
        """Return whether a sort key lies in the period."""
        return (self.since is None or timestamp >= self.since) and (self.until is None or timestamp <= self.until)

    def text(self, localise: Localise) -> str:
        """Return the period in words: in UTC, and in the user's zone if that differs."""
        bounds = (("since", self.since), ("until", self.until))
        return ", ".join(f"{name} {_in_both_zones(bound, localise)}" for name, bound in bounds if bound is not None)


def parse_moment(text: str, now: float, localise: Localise, *, end_of_day: bool) -> str:
    """Return the sort key of a point in time; `now` is in epoch seconds.

    `90m`, `24h`, `7d` and `2w` mean that long before `now`. Times and dates without an offset are local. A time of day
    means its last occurrence before `now`; a date alone, `today` or `yesterday` means the start of that day, or its end
    if `end_of_day` is set. A time that the clocks show twice means the first one, or the second if `end_of_day` is set;
    a time that they skip means the moment of the change. Raises `ValueError` with a text that says what is allowed.
    """
    try:
        return sort_key(_moment(text, EPOCH + timedelta(seconds=now), localise, end_of_day=end_of_day))
    except (ValueError, OverflowError):
        zone = localise(EPOCH + timedelta(seconds=now)).tzname()
        raise ValueError(
            "use 30m, 24h, 7d or 2w; a date (2026-01-31, today, yesterday) or a time (2026-01-31T12:00, or just 12:00)"
            f" in your time zone, which is {zone}; or a time with an offset (2026-01-31T12:00Z, 2026-01-31T12:00+02:00)"
        ) from None


def _moment(text: str, now: datetime, localise: Localise, *, end_of_day: bool) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return now - int(relative[1]) * _UNITS[relative[2]]
    today = localise(now).date()
    if _TIME_OF_DAY.fullmatch(text) is not None:
        latest = _parsed(f"{today}T{text}", localise, latest=end_of_day)
        return latest if latest <= now else _parsed(f"{today - _DAY}T{text}", localise, latest=end_of_day)
    if text in _DAYS_AGO:
        return _day(today - _DAYS_AGO[text], localise, end=end_of_day)
    if _DATE.fullmatch(text) is not None:
        return _day(parse_instant(f"{text}T00:00:00").date(), localise, end=end_of_day)
    return _parsed(text, localise, latest=end_of_day)


def _day(day: date, localise: Localise, *, end: bool) -> datetime:
    """Return the first instant of a local day, or its last microsecond."""
    midnight = datetime.combine(day + _DAY if end else day, time())
    if not end:
        return _instant(midnight, localise, latest=False)
    ends = (_instant(midnight, localise, latest=latest) - _INSTANT for latest in (True, False))
    # Of two midnights, the second ends the day only if the clocks went back from the next day into this one.
    return next(last for last in ends if localise(last).date() <= day)


def _parsed(text: str, localise: Localise, *, latest: bool) -> datetime:
    """Return the instant of a date and time, which is local unless it has an offset."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    minutes, seconds, offset = match.groups()
    instant = parse_instant(f"{minutes}{seconds or ':00'}{offset or ''}")
    return instant if offset else _instant(instant.replace(tzinfo=None), localise, latest=latest)


def _instant(local: datetime, localise: Localise, *, latest: bool) -> datetime:
    """Return the instant at which clocks show a local time: the first or the last if they do so twice.

    If they skip it, return the instant of the change. (Python maps such a time to an instant an hour off.)
    """
    first, second = sorted(localise(local.replace(fold=fold)).astimezone(EPOCH.tzinfo) for fold in (0, 1))
    if first == second or localise(first).replace(tzinfo=None, fold=0) == local:
        return second if latest else first
    # Before the change, clocks show less than the skipped time; after it, more. Changes happen at whole seconds.
    before, after = first, second
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if localise(middle).replace(tzinfo=None, fold=0) < local:
            before = middle
        else:
            after = middle
    return after


def _in_both_zones(bound: str, localise: Localise) -> str:
    instant = parse_instant(bound)
    local = localise(instant)
    utc = f"{instant:%Y-%m-%d %H:%M:%S} UTC"
    return utc if not local.utcoffset() else f"{utc} ({local:%Y-%m-%d %H:%M:%S %Z})"
