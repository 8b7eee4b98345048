"""The bodies of envelopes: written by the caller, or by the sender where that takes long."""

import marshal
import os
from collections.abc import Callable
from typing import Any, Final

from recommendation_producer._balance import INVALID, TOO_LARGE
from recommendation_shared import limits
from recommendation_shared.envelope.writing import body_of, body_of_plain, converted_body
from recommendation_shared.exact_json.dump import has_orjson, is_plain
from recommendation_shared.import_guard import importing

# From Python 3.12 on, a caller gets the interpreter, for which it would otherwise wait 5 ms. Not on every system.
_yield_interpreter: Final[Callable[[], None]] = getattr(os, "sched_yield", lambda: None)


class Unwritten:
    """An envelope whose body the sender has yet to write or to shrink. Its length is in bytes of memory.

    `write` returns the body, whatever its size. Only the sender's thread calls it.
    """

    __slots__ = ("_result", "_size", "_write")

    def __init__(self, size: int, write: Callable[[], bytes]) -> None:
        self._size: Final = size
        self._write: Callable[[], bytes] | None = write
        self._result: tuple[bytes, str | None] = b"", None

    def __len__(self) -> int:
        """Return the bytes that it takes until it is written."""
        return self._size

    def written(self) -> tuple[bytes, str | None]:
        """Return the body, or an empty one and the reason to drop it. Never raises."""
        if self._write is not None:
            self._result = _written(self._write)
            self._write = None
            _yield_interpreter()
        return self._result


def snapshot(fields: dict[str, Any]) -> bytes | Unwritten:
    """Return what later changes of the fields do not affect: their body, or what the sender makes it of.

    It makes it of a copy in a host without orjson, and of a body that is too large: shrinking that may take seconds.
    """
    if has_orjson():
        body = body_of(fields)
    elif (copy := _plain_copy(fields)) is not None:
        return Unwritten(len(copy), lambda: body_of_plain(marshal.loads(copy)))  # noqa: S302 - made below
    else:
        body = converted_body(fields)
    return body if len(body) <= limits.SQS_REQUEST_BYTES else Unwritten(len(body), lambda: body)


def _plain_copy(fields: dict[str, Any]) -> bytes | None:
    """Return a copy of plain values, or None of others. It is in bytes: values would take three times the memory.

    `marshal` alone does not suffice: it takes whatever has a buffer, such as a number of numpy, for bytes.
    """
    try:
        return marshal.dumps(fields) if is_plain(fields) else None
    except ValueError:  # not plain any more: another thread has changed it since the check
        return None


def _written(write: Callable[[], bytes]) -> tuple[bytes, str | None]:
    try:
        body = write()
        if len(body) > limits.SQS_REQUEST_BYTES:
            body = _shrunk(body)
    except Exception:  # noqa: BLE001 - counted; the sender goes on
        return b"", INVALID
    return (body, None) if len(body) <= limits.SQS_REQUEST_BYTES else (b"", TOO_LARGE)


def _shrunk(body: bytes) -> bytes:
    with importing():
        from recommendation_shared.item.shrink import shrink  # noqa: PLC0415 - nine modules that few hosts ever need

    return shrink(body)
