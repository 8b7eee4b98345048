"""Instants, sort keys, expiry and IDs, for arbitrary times and offsets."""

from datetime import UTC, datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_shared.envelope.identity import EPOCH, expiry, parse_instant, recommendation_id, sort_key
from tests.support.strategies import instants, offsets


@given(instants, instants)
def test_sort_key_order_is_chronological_order(first: datetime, second: datetime) -> None:
    """Text order equals time order, because the width is fixed."""
    assert (sort_key(first) < sort_key(second)) == (first < second)
    assert len(sort_key(first)) == 27


@given(instants, offsets, offsets)
def test_instant_gives_the_same_id_in_any_offset(instant: datetime, first: timezone, second: timezone) -> None:
    """The instant matters, not how it was written."""
    keys = {sort_key(parse_instant(instant.astimezone(zone).isoformat())) for zone in (first, second)}
    assert keys == {sort_key(instant)}
    assert len({recommendation_id("i", "a", key) for key in keys}) == 1


@given(instants)
def test_instant_of_an_id_is_exact_and_as_short_as_possible(instant: datetime) -> None:
    """It parses back to the same instant, and has no trailing zero."""
    text = recommendation_id("i", "a", sort_key(instant)).removeprefix("rec-i-a-")
    assert parse_instant(text) == instant
    _, dot, fraction = text.removesuffix("Z").partition(".")
    assert bool(dot) == bool(fraction)
    assert not fraction.endswith("0")


@given(instants)
def test_naive_time_is_read_as_utc(instant: datetime) -> None:
    """The executor's own timestamps are often naive."""
    naive = instant.replace(tzinfo=None)
    assert parse_instant(naive) == parse_instant(naive.isoformat()) == instant


@given(instants, st.integers(1, 36_500))
def test_ttl_counts_from_the_envelopes_time(instant: datetime, days: int) -> None:
    """In whole seconds, rounded down."""
    ttl = expiry(sort_key(instant), days)
    assert ttl is not None
    assert 0 <= (instant - EPOCH).total_seconds() - (ttl - days * 86_400) < 1.001
    assert expiry(sort_key(instant), None) is None


@given(st.text(max_size=40))
def test_other_text_is_rejected_without_being_quoted(value: str) -> None:
    """Any text is either a time or raises `ValueError` with the rule."""
    try:
        parsed = parse_instant(value)
    except ValueError as error:
        assert str(error) == "must be an RFC 3339 time such as 2026-01-31T12:00:00.000000Z"
    else:
        assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31 12:00:00", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T13:00:00.5+01:00", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.000000Z"),
    ],
)
def test_rfc_3339_variants_are_normalised(text: str, key: str) -> None:
    """Digits beyond microseconds are truncated."""
    assert sort_key(parse_instant(text)) == key


@pytest.mark.parametrize(
    "text",
    [
        "2026-W05-6T12:00:00Z",
        "20260131T120000Z",
        "2026-01-31",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:60Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00+24:00",
        "0001-01-01T00:00:00+01:00",
        "２０２６-01-31T12:00:00Z",  # noqa: RUF001 - full-width digits are the point
    ],
)
def test_times_that_only_python_accepts_are_rejected(text: str) -> None:
    """The result is the same on every Python version."""
    with pytest.raises(ValueError, match="RFC 3339"):
        parse_instant(text)


def test_ids_match_the_documented_examples() -> None:
    """With and without a fraction of a second."""
    prefix = "rec-incident-123-signal-intelligence-2026-01-31T12:00:00"
    assert recommendation_id("incident-123", "signal-intelligence", "2026-01-31T12:00:00.000000Z") == f"{prefix}Z"
    assert (
        recommendation_id("incident-123", "signal-intelligence", "2026-01-31T12:00:00.332308Z") == f"{prefix}.332308Z"
    )
