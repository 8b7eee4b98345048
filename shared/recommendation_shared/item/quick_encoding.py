"""Encode ordinary items in a third of the time that `encode_map` takes, with the same result.

Values are wrapped in Python (`{"S": "text"}`), then orjson writes, quotes and sorts all of them at once. Where the
results could differ, this module gives up and leaves the item to `encode_map`, the reference.
"""

from collections.abc import Mapping
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.numbers import EXACT_INT, as_text, number_text
from recommendation_shared.exact_json.orjson_if_usable import ORJSON

Attribute = dict[str, Any]

_EMPTY_NAME: Final = b'"":'  # matches names that end with a quote, too, which are too rare to be worth telling apart
_NULL: Final = {"NULL": True}
_TRUE: Final = {"BOOL": True}
_FALSE: Final = {"BOOL": False}


def encode_quickly(values: Mapping[str, Any]) -> bytes | None:
    """Return what `encode_map` returns, in UTF-8, or None if only `encode_map` can encode these values."""
    if ORJSON is None:
        return None
    try:
        encoded: bytes = ORJSON.dumps(_map(values, 1), option=ORJSON.OPT_SORT_KEYS)
    except TypeError:  # not parsed JSON
        return None
    # DynamoDB rejects an empty name, and a long one, which only a long encoding can contain. Searching from the end is
    # three times as fast.
    if len(encoded) > limits.ATTRIBUTE_NAME_BYTES or encoded.rfind(_EMPTY_NAME) >= 0:
        return None
    return encoded


def _map(values: Mapping[str, Any], level: int) -> dict[str, Attribute]:
    # Speed: the most common types are wrapped without a function call. `_list` repeats the code for the same reason.
    wrapped: dict[str, Attribute] = {}
    for name, value in values.items():
        kind = type(value)
        if kind is str:
            wrapped[name] = {"S": value}
        elif kind is int and -EXACT_INT < value < EXACT_INT:
            wrapped[name] = {"N": str(value)}
        else:
            wrapped[name] = _wrap(value, kind, level)
    return wrapped


def _list(values: list[Any], level: int) -> list[Attribute]:
    wrapped: list[Attribute] = []
    for value in values:
        kind = type(value)
        if kind is str:
            wrapped.append({"S": value})
        elif kind is int and -EXACT_INT < value < EXACT_INT:
            wrapped.append({"N": str(value)})
        else:
            wrapped.append(_wrap(value, kind, level))
    return wrapped


def _wrap(value: Any, kind: type, level: int) -> Attribute:
    if kind is float:
        text = repr(value)
        # No exponent, inf, nan or negative zero.
        if "e" not in text and "n" not in text and value:
            return {"N": text.removesuffix(".0")}
    elif kind is dict or kind is list:
        if level > limits.CONTAINER_LEVELS:
            return {"S": canonical_text(value)}
        return {"M": _map(value, level + 1)} if kind is dict else {"L": _list(value, level + 1)}
    elif value is None:
        return _NULL
    elif kind is bool:
        return _TRUE if value else _FALSE
    number = number_text(value)
    return {"S": as_text(value)} if number is None else {"N": number}
