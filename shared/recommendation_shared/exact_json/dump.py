"""Write whatever value an agent may hold as JSON that SQS accepts."""

import json
from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.parse import JsonError, parse_json

# orjson writes plain values in a quarter of the time that pydantic takes.
_PLAIN_VALUES_ONLY: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)

# pydantic's first call imports modules, under a lock that a signal handler or finalizer calling in would wait for.
to_json(None)


def dump_json(value: Any) -> bytes:
    """Serialise any value as UTF-8 JSON that SQS accepts. Raises `JsonError` if that is impossible.

    Mappings, dataclasses, pydantic models, datetimes, enums, sets and tuples are written in their JSON form. NaN, the
    infinities, a `Decimal` and any other object are written as text (`str`).
    """
    try:
        body = orjson.dumps(value, option=_PLAIN_VALUES_ONLY)
        # orjson writes NaN and the infinities as null, so pydantic rewrites any body that contains a null. Searching
        # from the end takes a third of the time, because a forward search stops at every "l".
        if body.rfind(b"null") < 0:
            return sqs_safe(body)
    except TypeError:  # not all values are plain
        pass
    try:
        body = to_json(value, inf_nan_mode="strings", fallback=_plain)
    except (PydanticSerializationError, UnicodeEncodeError):
        body = _dump_odd(value)
    return sqs_safe(body)


def sqs_safe(body: bytes) -> bytes:
    """Escape U+FFFE and U+FFFF, which JSON allows and SQS rejects (SendMessage, "InvalidMessageContents")."""
    if b"\xef" in body:  # their first byte, which is rare: this is 50 times as fast as searching for all three
        body = body.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")
    return body


def _dump_odd(value: Any) -> bytes:
    """Serialise values that pydantic rejects: lone surrogates, and bytes that are not UTF-8 (as base64)."""
    try:
        return canonical_text(parse_json(json.dumps(value, default=_jsonable))).encode()
    except (TypeError, ValueError, RecursionError):
        raise JsonError(
            f"must be serialisable as JSON: no circular reference, nested at most {limits.JSON_LEVELS} levels deep"
        ) from None


def _jsonable(value: Any) -> Any:
    return to_jsonable_python(value, bytes_mode="base64", fallback=_plain)


def _plain(value: object) -> dict[Any, Any] | str:
    if isinstance(value, Mapping):
        return dict(value)
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - foreign code: one broken value must not cost the whole recommendation
        return f"<{type(value).__qualname__}>"
