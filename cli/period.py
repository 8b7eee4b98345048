"""`--since` and `--until`: relative (`24h`, `7d`) or absolute moments as sort keys of the table."""

import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.identity import EPOCH, parse_instant, sort_key

_RELATIVE: Final = re.compile(r"([0-9]+)([mhdw])", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_LAST_MOMENT: Final = timedelta(days=1) - timedelta(microseconds=1)


class Period(NamedTuple):
    """The first and the last sort key that count, both inclusive; None leaves that side open."""

    since: str | None = None
    until: str | None = None


def parse_moment(text: str, now: float, *, end_of_day: bool) -> str:
    """Return the sort key of a moment; `now` is in epoch seconds.

    `90m`, `24h`, `7d` and `2w` lie that long before `now`. A bare date is its first moment in UTC, or its last
    when `end_of_day` is set. Raises `ValueError`, whose text is the rule.
    """
    try:
        return sort_key(_moment(text, now, end_of_day=end_of_day))
    except (ValueError, OverflowError):
        raise ValueError("use 30m, 24h, 7d or 2w, a UTC date (2026-01-31), or a time (2026-01-31T12:00:00Z)") from None


def _moment(text: str, now: float, *, end_of_day: bool) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return EPOCH + timedelta(seconds=now) - int(relative[1]) * _UNITS[relative[2]]
    if _DATE.fullmatch(text) is not None:
        return parse_instant(f"{text}T00:00:00Z") + (_LAST_MOMENT if end_of_day else timedelta())
    return parse_instant(text)
