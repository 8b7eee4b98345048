"""Bodies that the sender writes, in hosts without orjson, where writing one takes longer than `json.dumps` does.

The caller's thread only copies the values. If they are all of built-in types, `pickle` does that in C, in a quarter of
the time of `json.dumps`, and without running any code of the host.
"""

import time
from _pickle import Pickler, loads  # not `pickle`, which does it in Python, and far slower, where there is no `_pickle`
from io import BytesIO
from typing import Any, Final, NoReturn

from recommendation_producer._balance import INVALID, TOO_LARGE
from recommendation_producer._bodies import written
from recommendation_shared import limits

_PROTOCOL: Final = 5


class Unwritten:
    """The copy of an envelope; its length is in bytes. Only the sender's thread writes the body."""

    __slots__ = ("_copy", "_result", "_size")

    def __init__(self, copy: bytes) -> None:
        self._copy = copy
        self._size: Final = len(copy)
        self._result: tuple[bytes, str | None] | None = None

    def __len__(self) -> int:
        """Return the bytes of the copy."""
        return self._size

    def written(self) -> tuple[bytes, str | None]:
        """Return the body, or an empty one and the reason to drop it. Never raises."""
        if self._result is None:
            self._result = _written(self._copy)
            self._copy = b""
            time.sleep(0)  # lets a caller have the interpreter, for which it would otherwise wait 5 ms
        return self._result


def copied(fields: dict[str, Any]) -> bytes | Unwritten:
    """Return a copy of an envelope's fields; or the body, if they hold more than built-in types or are too large."""
    file = BytesIO()
    try:
        _BuiltInOnly(file, _PROTOCOL).dump(fields)
    except Exception:  # noqa: BLE001 - not only built-in types, too deep, or changed meanwhile: `written` says what is wrong
        return written(fields)
    # The outcome of a large envelope should say whether it is too large, and only its body shows that.
    return Unwritten(file.getvalue()) if file.tell() <= limits.SQS_REQUEST_BYTES else written(fields)


class _OtherTypeError(TypeError):
    """The values hold something that is not of a built-in type."""


class _BuiltInOnly(Pickler):
    def reducer_override(self, _: object) -> NoReturn:
        """Raise for every value that `pickle` does not know by itself: an instance, a subclass, a function."""
        raise _OtherTypeError


def _written(copy: bytes) -> tuple[bytes, str | None]:
    try:
        body = written(loads(copy))
    except Exception:  # noqa: BLE001 - counted; the sender goes on
        return b"", INVALID
    return (body, None) if len(body) <= limits.SQS_REQUEST_BYTES else (b"", TOO_LARGE)
