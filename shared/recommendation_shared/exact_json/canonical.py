"""The canonical text of a JSON value: compact, with sorted keys and exact numbers."""

from json.encoder import encode_basestring
from math import isfinite
from typing import Any, Final

from recommendation_shared.exact_json.numbers import as_text

quote: Final = encode_basestring  # returns a string's JSON text with quotes; non-ASCII characters are not escaped


def canonical_text(value: Any) -> str:
    """Return the canonical text of parsed JSON (see `parse_json`). NaN and the infinities become strings."""
    match value:
        case str():
            return quote(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "{" + ",".join(f"{quote(key)}:{canonical_text(value[key])}" for key in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(canonical_text, value)) + "]"
        case float() if not isfinite(value):
            return quote(as_text(value))
        case _:
            return as_text(value)
