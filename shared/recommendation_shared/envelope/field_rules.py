"""The rules for an envelope's fields: functions that return the normalised value or raise `ValueError`.

The error's message states the rule and never quotes the value.
"""

# ruff: noqa: TRY004 - pydantic collects ValueError, not TypeError

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
MAPPING: Final = (dict, Mapping)  # `dict` first, because isinstance with Mapping alone takes three times as long
_NO_OBJECTS: Final = "must be a list of objects"
_SMALLEST: Final = float(f"1E{limits.NUMBER_MIN_EXPONENT}")  # the smallest positive number that DynamoDB can hold
_ZONE_AT: Final = len("2026-01-31T12:00:00.000000")  # the index of the "Z" in a sort key
_CONTROL_CHARACTER: Final = r"[\x00-\x1f\x7f-\x9f]"  # hardly ever compiled


def _utf8(value: str, limit: int) -> str:
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text, without lone surrogates") from None
    if not 0 < size <= limit:
        raise ValueError(f"must be 1 to {limit} bytes of UTF-8")
    return value


def schema_version(value: object) -> int:
    """Return the only supported version."""
    if type(value) is not int or value != SCHEMA_VERSION:  # true and 1.0 equal 1
        raise ValueError(f"must be {SCHEMA_VERSION}")
    return value


def identifier(value: object) -> str:
    """Return the ID of an incident or execution: 1 to 1,024 bytes of UTF-8 without control characters."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not value.isprintable() and re.search(_CONTROL_CHARACTER, value):  # isprintable is faster, but stricter
        raise ValueError("must not contain control characters")
    return _utf8(value, limits.ID_BYTES)


def agent_type(value: object) -> str:
    """Return an agent type: kebab-case, at most 128 bytes."""
    if not isinstance(value, str) or KEBAB_CASE.fullmatch(value) is None:
        raise ValueError("must be kebab-case: a-z, 0-9 and single hyphens")
    return _utf8(value, limits.AGENT_TYPE_BYTES)


def timestamp(value: object) -> str:
    """Return an instant as a sort key (see `sort_key`)."""
    if not isinstance(value, (str, datetime)):
        raise ValueError("must be an RFC 3339 time")
    instant = parse_instant(value)
    # RFC 3339 text of this length is already a sort key.
    if isinstance(value, str) and value[10] == "T" and value[_ZONE_AT:] == "Z":
        return value
    return sort_key(instant)


def text(value: object) -> str:
    """Return text of any length."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def retention(value: object) -> int | None:
    """Return a number of whole days, or None to keep the item indefinitely."""
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= limits.MAX_RETENTION_DAYS:  # a bool is an int, too
        raise ValueError(f"must be a whole number of days from 1 to {limits.MAX_RETENTION_DAYS}, or null")
    return value


def confidence(value: Any) -> Any:
    """Return a number from 0 to 1, or None."""
    if value is not None and not is_probability(value):
        raise ValueError("must be a number from 0 to 1, or null")
    return value


def is_probability(value: Any) -> bool:
    """Return whether `value` is a number from 0 to 1 that DynamoDB can hold, unlike NaN and 1e-200."""
    if type(value) is float:  # the usual case, without a conversion to text
        return value == 0 or _SMALLEST <= value <= 1
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return number_text(value) is not None and 0 <= value <= 1


def json_object(value: object) -> Mapping[str, Any]:
    """Return a mapping unchanged. It is not copied, because it may hold most of an envelope's bytes."""
    if not isinstance(value, MAPPING):
        raise ValueError("must be an object")
    return value


def json_objects(value: object) -> Sequence[Mapping[str, Any]]:
    """Return a list of mappings unchanged."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(_NO_OBJECTS)
    for child in value:
        if not isinstance(child, MAPPING):
            raise ValueError(_NO_OBJECTS)
    return value
