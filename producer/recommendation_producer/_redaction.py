"""Redaction: the host's own function sees and changes every recommendation before it is serialised."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from recommendation_shared.exact_json.dump import dump_json
from recommendation_shared.import_guard import importing

Redact = Callable[[dict[str, Any]], Mapping[str, Any]]
_CONTENT: Final = ("recommendation", "reasoning", "citations", "metadata")


class RedactError(Exception):
    """The host's `redact` failed; the message names the type of its exception, never a value."""


def redacted(fields: Mapping[str, Any], redact: Redact) -> Mapping[str, Any]:
    """Return the fields that `redact` returns; raise `RedactError` if it fails.

    `redact` receives the content as a copy in plain JSON values, which it may change in place.
    """
    parse_json = _parser()
    content = {name: parse_json(dump_json(fields[name])) for name in _CONTENT if name in fields}
    try:
        result = redact({**fields, **content})
    except Exception as error:  # noqa: BLE001 - the host's code; the envelope is dropped and counted
        raise RedactError(f"redact raised {type(error).__name__}") from None
    if not isinstance(result, Mapping):
        raise RedactError(f"redact must return a mapping of the fields, not {type(result).__name__}")
    return result


@cache
def _parser() -> Callable[[bytes], Any]:
    with importing():
        from recommendation_shared.exact_json.parse import parse_json  # noqa: PLC0415 - most hosts do not redact

    return parse_json
