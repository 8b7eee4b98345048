"""How --since and --until are read."""

import pytest

from cli.period import parse_moment
from tests.recommendation_table import NOW


def _parse(text: str, *, end_of_day: bool = False) -> str:
    return parse_moment(text, NOW.timestamp(), end_of_day=end_of_day)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", "2026-02-01T10:30:00.000000Z"),
        ("24h", "2026-01-31T12:00:00.000000Z"),
        ("7d", "2026-01-25T12:00:00.000000Z"),
        ("2w", "2026-01-18T12:00:00.000000Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00.500000Z"),
        ("2026-01-31 12:00:00", "2026-01-31T12:00:00.000000Z"),
    ],
)
def test_a_moment_is_relative_to_the_clock_or_absolute(text: str, moment: str) -> None:
    """Its text sorts as the table's timestamps do; a time without offset is UTC."""
    assert _parse(text) == moment


def test_a_bare_date_counts_whole() -> None:
    """From its first microsecond to its last."""
    assert _parse("2026-01-31") == "2026-01-31T00:00:00.000000Z"
    assert _parse("2026-01-31", end_of_day=True) == "2026-01-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "-7d", "7 d", "2026-02-30", "2026-13-01", "9" * 30 + "d", "\u0667d"]
)
def test_anything_else_is_refused_with_what_is_possible(text: str) -> None:
    """Dates that do not exist and periods before the calendar included."""
    with pytest.raises(ValueError, match=r"^use 30m, 24h, 7d or 2w, a UTC date .* or a time"):
        _parse(text)
