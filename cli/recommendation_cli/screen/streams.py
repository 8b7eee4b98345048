"""The process's standard streams: closed ones are replaced, and a failed write is an error with a reason."""

import io
import os
import sys
from collections.abc import Callable, Mapping
from errno import EBADF
from typing import Any, Final

_STDIN, _STDOUT, _STDERR = range(3)  # file descriptors
_BUFFER_BYTES: Final = 65_536
_TERMINAL_COLUMNS: Final = 80  # of a terminal that does not tell


class OutputError(Exception):
    """Standard output cannot be written. Not an `OSError`, which click and rich would turn into their own exits."""

    def __init__(self, error: OSError) -> None:
        super().__init__("it is closed" if error.errno == EBADF else error.strerror or str(error))
        self.is_closed_pipe = isinstance(error, BrokenPipeError)  # whatever was reading it has closed it


class StandardOutput(io.FileIO):
    """The file descriptor of standard output. A pipe to a pager counts as the terminal whose columns it has."""

    before_first_write: Callable[[], None] | None = None
    paged_columns: int | None = None

    def write(self, data: Any, /) -> int:
        """Write bytes; raise `OutputError`."""
        if self.before_first_write is not None:
            prepare, self.before_first_write = self.before_first_write, None
            prepare()
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error) from None

    def isatty(self) -> bool:
        """Return whether a person is reading."""
        return self.paged_columns is not None or super().isatty()


class _Notes(io.FileIO):
    """The file descriptor of standard error, whose failures cannot be reported anywhere."""

    def write(self, data: Any, /) -> int:
        """Write bytes, or drop them."""
        try:
            return super().write(data)
        except OSError:  # a full disk, or a reader that has gone: the command itself must still finish
            return len(memoryview(data))


def open_streams() -> None:
    """Replace `sys.stdin`, `sys.stdout` and `sys.stderr`, before anything is opened or printed.

    A closed standard stream would be replaced by the next file that is opened, and messages would go into it.
    """
    for descriptor, closed in ((_STDIN, sys.stdin), (_STDOUT, sys.stdout), (_STDERR, sys.stderr)):
        if closed is None:
            # Only for reading, so that a write to a closed standard output fails as it should.
            flags = os.O_WRONLY if descriptor == _STDERR else os.O_RDONLY
            _move(os.open(os.devnull, flags), descriptor)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = _text(StandardOutput(_STDOUT, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Notes(_STDERR, "w", closefd=False), sys.stderr)


def opened_output() -> StandardOutput | None:
    """Return standard output as `open_streams` opened it; None in another program, such as a test."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, StandardOutput) else None


def columns(environ: Mapping[str, str], otherwise: int) -> int:
    """Return the width of the reader's window: `COLUMNS` if it is a number above 0, else the terminal's."""
    given = environ.get("COLUMNS", "")
    if given.isascii() and given.isdecimal() and int(given) > 0:
        return int(given)
    raw = opened_output()
    if raw is not None and raw.paged_columns is not None:
        return raw.paged_columns or _TERMINAL_COLUMNS
    if not sys.stdout.isatty():
        return otherwise
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _TERMINAL_COLUMNS
    except OSError:  # a terminal that does not tell
        return _TERMINAL_COLUMNS


def discard_output() -> None:
    """Let what is left of standard output be flushed without another error."""
    _move(os.open(os.devnull, os.O_WRONLY), _STDOUT)


def _move(source: int, target: int) -> None:
    if source != target:
        os.dup2(source, target)
        os.close(source)


def _text(raw: io.FileIO, replaced: Any) -> io.TextIOWrapper:
    # A character that the terminal's encoding lacks is printed as an escape instead of a traceback.
    encoding = getattr(replaced, "encoding", None)
    is_live = raw.isatty() or isinstance(raw, _Notes)
    buffered = io.BufferedWriter(raw, _BUFFER_BYTES)
    return io.TextIOWrapper(buffered, encoding, errors="backslashreplace", line_buffering=is_live)
