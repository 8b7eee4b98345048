import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from recommendation_cli.search.period import Period, parse_moment
from tests.support.fakes.recommendation_table import NOW

BERLIN, KOLKATA = "CET-1CEST,M3.5.0,M10.5.0/3", "IST-5:30"  # POSIX time zones, which need no time zone database


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the user's time zone, initially Berlin."""

    def use(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    use(BERLIN)
    yield use
    monkeypatch.undo()
    time.tzset()


def _parse(text: str, *, end_of_day: bool = False) -> str:
    return parse_moment(text, NOW.timestamp(), datetime.astimezone, end_of_day=end_of_day)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", "2026-02-01T10:30:00.000000Z"),
        ("24h", "2026-01-31T12:00:00.000000Z"),
        ("7d", "2026-01-25T12:00:00.000000Z"),
        ("2w", "2026-01-18T12:00:00.000000Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00.500000Z"),
        ("2026-01-31T12:00-05:00", "2026-01-31T17:00:00.000000Z"),
    ],
)
def test_relative_times_and_times_with_an_offset_do_not_depend_on_the_zone(
    zone: Callable[[str], None], text: str, moment: str
) -> None:
    """The result is a sort key like those in the table."""
    assert _parse(text) == moment
    zone(KOLKATA)
    assert _parse(text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31 12:00:00", "2026-01-31T11:00:00.000000Z"),
        ("2026-01-31T12:00", "2026-01-31T11:00:00.000000Z"),
        ("2026-07-31T12:00", "2026-07-31T10:00:00.000000Z"),  # summer time
        ("12:30", "2026-02-01T11:30:00.000000Z"),
        ("12:30:15", "2026-02-01T11:30:15.000000Z"),
        ("13:01", "2026-01-31T12:01:00.000000Z"),  # yesterday, because it is 13:00 in Berlin
    ],
)
def test_times_without_an_offset_are_local(text: str, moment: str) -> None:
    """A time of day means its last occurrence."""
    assert _parse(text) == moment


def test_a_date_alone_means_the_whole_local_day() -> None:
    """A day of 23 hours lasts from its first to its last microsecond too."""
    assert _parse("2026-01-31") == "2026-01-30T23:00:00.000000Z"
    assert _parse("2026-01-31", end_of_day=True) == "2026-01-31T22:59:59.999999Z"
    assert (_parse("2026-03-29"), _parse("2026-03-29", end_of_day=True)) == (
        "2026-03-28T23:00:00.000000Z",
        "2026-03-29T21:59:59.999999Z",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "tomorrow", "7", "-7d", "7 d", "2026-02-30", "2026-13-01", "9" * 30 + "d", "\u0667d"),
        *("25:00", "12:60", "12", "2026-01-31T25:00", "2026-01-31T12:00+25:00", "9999-12-31"),
    ],
)
def test_anything_else_is_an_error_that_says_what_is_allowed(text: str) -> None:
    """Impossible dates and periods before year 1 are errors too; the message names the user's zone."""
    with pytest.raises(
        ValueError, match=r"^use 30m, 24h, 7d or 2w; a date .* in your time zone, which is CET; or a time"
    ):
        _parse(text, end_of_day=True)


def test_a_period_is_shown_in_utc_and_in_the_users_zone(zone: Callable[[str], None]) -> None:
    """Where both are the same it is shown only once."""
    period = Period("2026-01-31T11:00:00.000000Z", "2026-07-31T10:00:00.000000Z")
    assert period.text(datetime.astimezone) == (
        "since 2026-01-31 11:00:00 UTC (2026-01-31 12:00:00 CET),"
        " until 2026-07-31 10:00:00 UTC (2026-07-31 12:00:00 CEST)"
    )
    zone("UTC0")
    assert Period(since=period.since).text(datetime.astimezone) == "since 2026-01-31 11:00:00 UTC"
    assert Period().text(datetime.astimezone) == ""
