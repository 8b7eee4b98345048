"""The bodies of envelopes: written by the caller, or by the sender in hosts without orjson, where that takes long."""

import os
from collections.abc import Callable
from typing import Any, Final

from recommendation_producer._balance import INVALID, TOO_LARGE
from recommendation_shared import limits
from recommendation_shared.envelope.writing import body_of, body_of_copy, converted_body
from recommendation_shared.exact_json.dump import Copy, has_orjson, plain_copy
from recommendation_shared.import_guard import importing

# From Python 3.12 on, a caller gets the interpreter, for which it would otherwise wait 5 ms. Not on every system.
_yield_interpreter: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: None)


class Unwritten:
    """An envelope whose body the sender writes; only its thread does. `held` is in bytes of memory."""

    __slots__ = ("_copy", "_result", "held")

    def __init__(self, copy: Copy) -> None:
        self.held: Final = copy.held
        self._copy: dict[str, Any] = copy.value
        self._result: tuple[bytes, str | None] | None = None

    def written(self) -> tuple[bytes, str | None]:
        """Return the body, or an empty one and the reason to drop it. Never raises."""
        if self._result is None:
            self._result = _written(self._copy)
            self._copy = {}
            _yield_interpreter()
        return self._result


def snapshot(fields: dict[str, Any]) -> bytes | Unwritten:
    """Return what later changes of the fields do not affect: their body, or a copy where that costs the caller less.

    The body is shrunk if it is too large for SQS. It may still be, then.
    """
    if has_orjson():
        return _shrunk_if_large(body_of(fields))
    copy = plain_copy(fields)
    if copy is None:
        return _shrunk_if_large(converted_body(fields))
    if copy.held <= limits.SQS_REQUEST_BYTES:
        return Unwritten(copy)
    # The outcome of a large envelope should say whether it is too large, and only its body shows that.
    return _shrunk_if_large(body_of_copy(copy.value))


def _written(copy: dict[str, Any]) -> tuple[bytes, str | None]:
    try:
        body = _shrunk_if_large(body_of_copy(copy))
    except Exception:  # noqa: BLE001 - counted; the sender goes on
        return b"", INVALID
    return (body, None) if len(body) <= limits.SQS_REQUEST_BYTES else (b"", TOO_LARGE)


def _shrunk_if_large(body: bytes) -> bytes:
    if len(body) <= limits.SQS_REQUEST_BYTES:
        return body
    with importing():
        from recommendation_shared.item.shrink import shrink  # noqa: PLC0415 - nine modules that few hosts ever need

    return shrink(body)
