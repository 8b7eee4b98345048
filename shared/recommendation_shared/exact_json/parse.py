"""Read JSON without losing anything: exact numbers, NaN and infinities, and lone surrogates as text."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.exact_json.orjson_if_usable import ORJSON

# A double holds a number of 15 digits and an exponent below 100 exactly: its repr is the same number. Longer numbers
# are checked one by one. To find out whether there are any, `_SHAPE` maps all digits and points to "0", so that two
# searches suffice.
_SHAPE: Final = bytes(
    ord("0") if char in b"0123456789." else ord("e") if char in b"eE" else ord(" ") for char in range(256)
)
_SIGNS: Final = b"+-"
_LONG: Final = b"0" * 17
_FAR: Final = b"0e000"
# Blanks out every character that cannot be part of a number. In JSON, such a character ends each number.
_NUMBERS: Final = bytes(char if char in b"0123456789.eE+-" else 32 for char in range(256))
_SUSPECT_BYTES: Final = len("1e100")
_EXACT_INT_DIGITS: Final = 18


class JsonError(ValueError):
    """The text is not JSON, or is nested too deeply. The message states the rule and never quotes the text."""


def parse_json(text: str | bytes) -> Any:
    r"""Parse JSON into dict, list, str, int, float, Decimal, bool and None. Raises only `JsonError`.

    Numbers are exact: those that a double would change become `Decimal`. `NaN`, `Infinity` and `-Infinity` are
    accepted, because Python writes them. A lone surrogate becomes the text of its escape (`\ud800`). Nesting is limited
    to 254 levels (`limits.JSON_LEVELS`).
    """
    raw = text if isinstance(text, bytes) else _encoded(text)
    if ORJSON is None:
        return parse_exactly(raw)
    try:
        value = ORJSON.loads(raw)
        # If orjson writes the same text again, each number is a double's shortest form, as our own producer writes it.
        # orjson does not write more levels than are allowed.
        if ORJSON.dumps(value) == raw or _is_exact_as_doubles(raw):
            return value
    except (ValueError, TypeError):
        pass  # the exact parser decides: it accepts more (NaN, lone surrogates)
    return parse_exactly(raw)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _is_exact_as_doubles(raw: bytes) -> bool:
    shape = raw.translate(_SHAPE, _SIGNS)
    # Searching from the end takes half the time.
    if shape.rfind(_LONG) < 0 and shape.rfind(_FAR) < 0:
        return True
    tokens = raw.translate(_NUMBERS).split()
    return all(_is_repr(token) for token in tokens if len(token) >= _SUSPECT_BYTES)


def _is_repr(token: bytes) -> bool:
    """Return whether a double keeps this number. Most long numbers are some program's repr of a double."""
    try:
        return repr(float(token)).encode() == token
    except ValueError:  # not a number, so part of a string
        return True


def parse_exactly(raw: bytes) -> Any:
    """Parse by the standard library, which defines what `parse_json` returns for any text."""
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
    if repr(number) == text:  # most long numbers are some program's repr of a double
        return number
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        return text


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _EXACT_INT_DIGITS else Decimal(text)


def _clean(value: Any, level: int) -> Any:
    """Make every string encodable as UTF-8. Raises `JsonError` for more than `limits.JSON_LEVELS` levels."""
    if isinstance(value, str):
        return _encoded(value).decode()
    if not isinstance(value, dict | list):
        return value
    if level > limits.JSON_LEVELS:
        raise JsonError(_TOO_DEEP)
    if isinstance(value, dict):
        return {_encoded(key).decode(): _clean(child, level + 1) for key, child in value.items()}
    return [_clean(child, level + 1) for child in value]
