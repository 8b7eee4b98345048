"""JSON in, without losing anything: exact numbers, odd floats, and lone surrogates as text."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from recommendation_shared import limits

# A double holds 15 decimal digits and exponents below 100 exactly: its repr gives the same number back. Longer ones
# are looked at one by one. The look for them is two searches in a body whose digits and points are all "0".
_SHAPE: Final = bytes(
    ord("0") if char in b"0123456789." else ord("e") if char in b"eE" else ord(" ") for char in range(256)
)
_SIGNS: Final = b"+-"
_LONG: Final = b"0" * 17
_FAR: Final = b"0e000"
# Leaves of a body what numbers are made of; in JSON, only other characters stand beside a number.
_NUMBERS: Final = bytes(char if char in b"0123456789.eE+-" else 32 for char in range(256))
_SUSPECT_BYTES: Final = len("1e100")
_EXACT_INT_DIGITS: Final = 18


class JsonError(ValueError):
    """The text is not JSON, or is nested too deeply; the message names the rule and never the text."""


def parse_json(text: str | bytes) -> Any:
    r"""Parse JSON into dict, list, str, int, float, Decimal, bool and None; raise only `JsonError`.

    Numbers are exact: one that a double would change comes as `Decimal`. `NaN`, `Infinity` and `-Infinity` are
    accepted, because Python writes them. A lone surrogate becomes its escape as text (`\ud800`).
    """
    raw = text if isinstance(text, bytes) else _encoded(text)
    try:
        value = orjson.loads(raw)
        # The same text again proves that each number is what a double holds, in its shortest form: so it comes from our
        # own producer. orjson writes no more levels than are allowed.
        if orjson.dumps(value) == raw or _is_exact_as_doubles(raw):
            return value
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        pass  # the exact parser accepts more (NaN, lone surrogates), and is the judge of the rest
    return _parse_exactly(raw)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _is_exact_as_doubles(raw: bytes) -> bool:
    shape = raw.translate(_SHAPE, _SIGNS)
    # From the end: half the time, because what these searches skip by is their first character then.
    if shape.rfind(_LONG) < 0 and shape.rfind(_FAR) < 0:
        return True
    tokens = raw.translate(_NUMBERS).split()
    return all(_is_repr(token) for token in tokens if len(token) >= _SUSPECT_BYTES)


def _is_repr(token: bytes) -> bool:
    """Tell whether a double keeps this number: most long ones are what some program's repr made of a double."""
    try:
        return repr(float(token)).encode() == token
    except ValueError:  # no number, so a part of a string
        return True


def _parse_exactly(raw: bytes) -> Any:
    try:
        return _clean(json.loads(raw.decode(), parse_float=_exact, parse_int=_integer), 1)
    except UnicodeDecodeError:
        raise JsonError("must be UTF-8") from None
    except json.JSONDecodeError:
        raise JsonError("must be JSON") from None
    except RecursionError:
        raise JsonError(_TOO_DEEP) from None


_TOO_DEEP: Final = f"must be nested at most {limits.JSON_LEVELS} levels deep"


def _exact(text: str) -> float | Decimal | str:
    number = float(text)
    if repr(number) == text:  # most long numbers are what some program's repr made of a double
        return number
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        return text


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _EXACT_INT_DIGITS else Decimal(text)


def _clean(value: Any, level: int) -> Any:
    """Return JSON values with every string encodable as UTF-8; refuse more than `limits.JSON_LEVELS` levels."""
    if isinstance(value, str):
        return _encoded(value).decode()
    if not isinstance(value, dict | list):
        return value
    if level > limits.JSON_LEVELS:
        raise JsonError(_TOO_DEEP)
    if isinstance(value, dict):
        return {_encoded(key).decode(): _clean(child, level + 1) for key, child in value.items()}
    return [_clean(child, level + 1) for child in value]
