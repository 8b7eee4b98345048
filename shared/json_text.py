"""JSON in and out without losing anything: exact numbers, odd floats and lone surrogates as text."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson
from pydantic_core import PydanticSerializationError, from_json, to_json, to_jsonable_python

from shared import limits
from shared.canonical import canonical_text

# A double holds 15 decimal digits and exponents below 100 exactly (its repr gives the same number back). A body
# with a longer number, or a lone surrogate, which the fast parser refuses, takes the exact parser.
_MAY_LOSE_DIGITS: Final = re.compile(r"[0-9](?:[0-9.]{16}|[eE][+-]?[0-9]{3})")
_EXACT_INT_DIGITS: Final = 18
# orjson writes plain values in a quarter of pydantic's time.
_PLAIN_VALUES_ONLY: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)


class JsonError(ValueError):
    """The text is not JSON, or is nested too deeply; the message names the rule and never the text."""


def parse_json(text: str | bytes) -> Any:
    r"""Parse JSON into dict, list, str, int, float, Decimal, bool and None; raise only `JsonError`.

    Numbers are exact: one that a double would change comes as `Decimal`. `NaN`, `Infinity` and `-Infinity` are
    accepted, because Python writes them. A lone surrogate becomes its escape as text (`\ud800`).
    """
    try:
        text = (text.decode() if isinstance(text, bytes) else _encodable(text)).strip(" \t\r\n")
    except UnicodeDecodeError:
        raise JsonError("must be UTF-8") from None
    if _MAY_LOSE_DIGITS.search(text) is None:
        try:
            return from_json(text)
        except ValueError:
            pass  # the exact parser accepts more (lone surrogates), and is the judge of the rest
    try:
        return _clean(json.loads(text, parse_float=_exact, parse_int=_integer), 1)
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


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _clean(value: Any, level: int) -> Any:
    """Return JSON values with every string encodable as UTF-8; refuse more than `limits.JSON_LEVELS` levels."""
    if isinstance(value, str):
        return _encodable(value)
    if not isinstance(value, dict | list):
        return value
    if level > limits.JSON_LEVELS:
        raise JsonError(_TOO_DEEP)
    if isinstance(value, dict):
        return {_encodable(key): _clean(child, level + 1) for key, child in value.items()}
    return [_clean(child, level + 1) for child in value]


def dump_json(value: Any) -> bytes:
    """Serialise whatever an agent may hold as UTF-8 JSON that SQS accepts; raise `JsonError` when it cannot be.

    Mappings, dataclasses, pydantic models, datetimes, enums, sets and tuples become their JSON form; NaN and the
    infinities become text, and so does a `Decimal` and any object of another kind (its `str`).
    """
    try:
        body = orjson.dumps(value, option=_PLAIN_VALUES_ONLY)
        # It turns NaN and the infinities into null, so where there is a null, pydantic writes it all again. Searched
        # from the end, which takes a third of the time: from the start, the search stops at every "l".
        if body.rfind(b"null") < 0:
            return sqs_safe(body)
    except TypeError:  # it holds something else than plain values
        pass
    try:
        body = to_json(value, inf_nan_mode="strings", fallback=_plain)
    except (PydanticSerializationError, UnicodeEncodeError):
        body = _dump_odd(value)
    return sqs_safe(body)


def sqs_safe(body: bytes) -> bytes:
    """Escape the two characters that UTF-8 JSON may hold and SQS refuses (SendMessage, "InvalidMessageContents")."""
    if b"\xef" in body:  # their first byte, and a rare one: a look for it is 50 times as fast as one for all three
        body = body.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")
    return body


def _dump_odd(value: Any) -> bytes:
    """Serialise what the fast serialiser refuses: lone surrogates, and bytes that are not UTF-8 (as base64)."""
    try:
        return canonical_text(parse_json(json.dumps(value, default=_jsonable))).encode()
    except (TypeError, ValueError, RecursionError):
        raise JsonError("must be serialisable as JSON: no circular reference, nested at most 200 levels deep") from None


def _jsonable(value: Any) -> Any:
    return to_jsonable_python(value, bytes_mode="base64", fallback=_plain)


def _plain(value: object) -> dict[Any, Any] | str:
    if isinstance(value, Mapping):
        return dict(value)
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - foreign code; one broken value must not cost the whole recommendation
        return f"<{type(value).__qualname__}>"
