"""`--since` and `--until` against zoneinfo, at every change of clocks from 2020 to 2030 in every time zone."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from recommendation_cli.search.period import parse_moment
from recommendation_shared.envelope.identity import sort_key

_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
_DAY, _QUARTER, _SECOND, _INSTANT = (
    timedelta(days=1),
    timedelta(minutes=15),
    timedelta(seconds=1),
    timedelta(microseconds=1),
)


def _changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the first instant with each new offset, in whole seconds."""
    day = _FIRST
    while day < _LAST:
        if day.astimezone(zone).utcoffset() != (day + _DAY).astimezone(zone).utcoffset():
            before, after = day, day + _DAY
            while after - before > _SECOND:
                middle = before + (after - before) // _SECOND // 2 * _SECOND
                if middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
                    before = middle
                else:
                    after = middle
            yield after
        day += _DAY


@cache
def _all_changes() -> list[tuple[ZoneInfo, datetime]]:
    """Return each distinct change once, with a zone that has it: many zones are names of the same clocks."""
    weeks = [_FIRST + number * 7 * _DAY for number in range((_LAST - _FIRST).days // 7)]
    distinct = {
        tuple(week.astimezone(zone).utcoffset() for week in weeks): zone
        for zone in map(ZoneInfo, sorted(available_timezones()))
    }
    changes = {
        (change, (change - _SECOND).astimezone(zone).utcoffset(), change.astimezone(zone).utcoffset()): zone
        for zone in distinct.values()
        for change in _changes(zone)
    }
    return [(zone, change) for (change, *_), zone in changes.items()]


def _localise(zone: ZoneInfo) -> Callable[[datetime], datetime]:
    return lambda moment: moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _parse(text: str, zone: ZoneInfo, *, now: datetime = _LAST, end: bool = False) -> str:
    return parse_moment(text, now.timestamp(), _localise(zone), end_of_day=end)


def test_a_local_day_begins_and_ends_where_zoneinfo_says() -> None:
    """So on days of 23 or 25 hours, days that have no midnight, and days that have two."""
    checked = 0
    for zone, change in _all_changes():
        midnight = change.replace(hour=0, minute=0, second=0)
        moments = sorted({change, *(midnight + number * _QUARTER for number in range(-4 * 30, 4 * 54))})
        days = [moment.astimezone(zone).date() for moment in moments]
        for day in sorted(set(days))[1:-1]:  # those that lie wholly within
            first, last = days.index(day), len(days) - days[::-1].index(day)
            assert _parse(f"{day}", zone) == sort_key(moments[first]), (zone.key, day)
            assert _parse(f"{day}", zone, end=True) == sort_key(moments[last] - _INSTANT), (zone.key, day)
            checked += 1
    assert checked > 1_000


def test_a_time_shown_twice_or_never_is_where_zoneinfo_says() -> None:
    """Since means the first of two and until the last; a time that is skipped is the moment of the change."""
    for zone, change in _all_changes():
        before = (change - _SECOND).astimezone(zone).replace(tzinfo=None, fold=0) + _SECOND
        after = change.astimezone(zone).replace(tzinfo=None, fold=0)
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        text = f"{middle:%Y-%m-%dT%H:%M:%S}"
        first, last = (datetime.fromisoformat(_parse(text, zone, end=end)) for end in (False, True))
        if after > before:
            assert first == last == change, (zone.key, text)
        else:
            assert last - first == before - after, (zone.key, text)
            assert {moment.astimezone(zone).replace(tzinfo=None, fold=0) for moment in (first, last)} == {middle}


@pytest.mark.parametrize(
    ("zone", "text", "end", "moment"),
    [
        ("America/Santiago", "2025-09-07", False, "2025-09-07T04:00:00.000000Z"),  # no midnight
        ("America/Havana", "2025-11-02", False, "2025-11-02T04:00:00.000000Z"),  # two midnights
        ("America/Havana", "2025-11-01", True, "2025-11-02T03:59:59.999999Z"),
        ("Europe/Berlin", "2026-03-29T02:30", False, "2026-03-29T01:00:00.000000Z"),  # skipped
        ("Europe/Berlin", "2026-10-25T02:30", False, "2026-10-25T00:30:00.000000Z"),  # shown twice
        ("Europe/Berlin", "2026-10-25T02:30", True, "2026-10-25T01:30:00.000000Z"),
    ],
)
def test_days_and_times_around_a_change_of_clocks(zone: str, text: str, end: bool, moment: str) -> None:
    """Named examples of each kind."""
    assert _parse(text, ZoneInfo(zone), end=end) == moment


def test_today_and_yesterday_are_local_days() -> None:
    """At 23:30 UTC it is tomorrow in Berlin already."""
    zone, now = ZoneInfo("Europe/Berlin"), datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert _parse("today", zone, now=now) == "2026-06-30T22:00:00.000000Z"
    assert _parse("yesterday", zone, now=now) == "2026-06-29T22:00:00.000000Z"
    assert _parse("yesterday", zone, now=now, end=True) == "2026-06-30T21:59:59.999999Z"
