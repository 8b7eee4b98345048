"""Instants, sort keys, recommendation IDs and expiry: derived from the envelope, never from the clock."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS: Final = 86_400
_SECOND: Final = timedelta(seconds=1)

# RFC 3339, with an optional offset. `datetime.fromisoformat` alone accepts more (week dates, 24:00), depending on the
# version of Python.
RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)


def parse_instant(value: str | datetime) -> datetime:
    """Return `value` as an aware UTC datetime; a naive time is read as UTC.

    Digits beyond microseconds are cut off. Raises `ValueError`, which states the rule and not the value, if the text is
    not RFC 3339, if the date does not exist, or if the year in UTC is not from 1 to 9999.
    """
    try:
        return _parse_text(value) if isinstance(value, str) else _in_utc(value)
    except (ValueError, OverflowError):
        raise ValueError("must be an RFC 3339 time such as 2026-01-31T12:00:00.000000Z") from None


@lru_cache(maxsize=1024)  # an envelope's text is parsed three times: as a field, for its expiry and for its lag
def _parse_text(text: str) -> datetime:
    if RFC3339.fullmatch(text) is None:
        raise ValueError
    return _in_utc(datetime.fromisoformat(text.upper()))


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:  # the usual case
        return value
    return value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)


def sort_key(instant: datetime) -> str:
    """Return a UTC instant as text of fixed width, which sorts chronologically."""
    # This is on the producer's hot path, and twice as fast as `isoformat`.
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % (  # noqa: UP031 - twice as fast as an f-string, too
        instant.year,
        instant.month,
        instant.day,
        instant.hour,
        instant.minute,
        instant.second,
        instant.microsecond,
    )


def recommendation_id(incident_id: str, agent_type: str, timestamp: str) -> str:
    """Return the ID `rec-{incident_id}-{agent_type}-{instant}`, with the shortest exact form of the instant.

    `timestamp` is a sort key (see `sort_key`). The ID omits trailing zeros of its fraction, and an empty fraction.
    """
    whole, _, fraction = timestamp[:-1].partition(".")
    fraction = fraction.rstrip("0")
    return f"rec-{incident_id}-{agent_type}-{whole}{'.' if fraction else ''}{fraction}Z"


def expiry(timestamp: str, retention_days: int | None) -> int | None:
    """Return when an item expires, in epoch seconds, or None if it is kept indefinitely."""
    if retention_days is None:
        return None
    return (parse_instant(timestamp) - EPOCH) // _SECOND + retention_days * _DAY_SECONDS
