"""The rule of each field of an envelope: a function that returns the normalised value or raises `ValueError`.

The error's message names the rule and never the value.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.exact_json.numbers import number_text

SCHEMA_VERSION: Final = 1

KEBAB_CASE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAPPING: Final = (dict, Mapping)  # `dict` first: an isinstance check of Mapping alone takes three times as long
_NO_OBJECTS: Final = "must be a list of objects"
_SMALLEST: Final = float(f"1E{limits.NUMBER_MIN_EXPONENT}")  # positive number that DynamoDB can hold
_ZONE_AT: Final = len("2026-01-31T12:00:00.000000")  # in a sort key
_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _utf8(value: str, most: int) -> str:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without lone surrogates") from None
    if not 0 < size <= most:
        raise ValueError(f"must have 1 to {most} bytes of UTF-8")
    return value


def schema_version(value: object) -> int:
    """Return the only known version."""
    if type(value) is not int or value != SCHEMA_VERSION:  # true and 1.0 equal 1
        raise ValueError(f"must be {SCHEMA_VERSION}")
    return value


def identifier(value: object) -> str:
    """Return an incident's or execution's ID: 1 to 1,024 bytes of UTF-8 without control characters."""
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic collects ValueError, not TypeError
    if not value.isprintable() and _CONTROL_CHARACTER.search(value):  # isprintable is faster, but stricter
        raise ValueError("must have no control characters")
    return _utf8(value, limits.ID_BYTES)


def agent_type(value: object) -> str:
    """Return an agent type: kebab-case, at most 128 bytes."""
    if not isinstance(value, str) or KEBAB_CASE.fullmatch(value) is None:
        raise ValueError("must be kebab-case: a-z, 0-9 and single hyphens")
    return _utf8(value, limits.AGENT_TYPE_BYTES)


def timestamp(value: object) -> str:
    """Return an instant in the form of the sort key."""
    if not isinstance(value, (str, datetime)):
        raise ValueError("must be an RFC 3339 time")  # noqa: TRY004 - as above
    instant = parse_instant(value)
    if (
        isinstance(value, str) and value[10] == "T" and value[_ZONE_AT:] == "Z"
    ):  # RFC 3339 of this length is a sort key already
        return value
    return sort_key(instant)


def text(value: object) -> str:
    """Return text of any length."""
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - as above
    return value


def retention(value: object) -> int | None:
    """Return whole days, or None for an item that is kept indefinitely."""
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= limits.MAX_RETENTION_DAYS:  # True is not a number of days
        raise ValueError(f"must be a whole number of days from 1 to {limits.MAX_RETENTION_DAYS}, or null")
    return value


def confidence(value: Any) -> Any:
    """Return a number from 0 to 1, or None."""
    if value is not None and not is_probability(value):
        raise ValueError("must be a number from 0 to 1, or null")
    return value


def is_probability(value: Any) -> bool:
    """Return whether `value` is a number from 0 to 1 that DynamoDB can hold, which NaN and 1e-200 are not."""
    if type(value) is float:  # the usual case, without converting it to text
        return value == 0 or _SMALLEST <= value <= 1
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return number_text(value) is not None and 0 <= value <= 1


def json_object(value: object) -> Mapping[str, Any]:
    """Return a mapping unchanged and uncopied, since it may hold most of an envelope's bytes."""
    if not isinstance(value, MAPPING):
        raise ValueError("must be an object")  # noqa: TRY004 - as above
    return value


def json_objects(value: object) -> Sequence[Mapping[str, Any]]:
    """Return a list of mappings unchanged."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(_NO_OBJECTS)  # noqa: TRY004 - as above
    for child in value:
        if not isinstance(child, MAPPING):
            raise ValueError(_NO_OBJECTS)  # noqa: TRY004 - as above
    return value
