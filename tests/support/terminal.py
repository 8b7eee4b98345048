"""`recs` in a real pseudo-terminal that it controls: what it prints, keys typed at it, and how it exits."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

_PATIENCE: Final = 60.0  # seconds; a loaded machine takes a few


class Finished(NamedTuple):
    """How a program ended, and everything that its terminal showed."""

    code: int
    shown: str


class Terminal:
    """A running program and its terminal."""

    def __init__(self, process_id: int, descriptor: int) -> None:
        self._process_id = process_id
        self._descriptor = descriptor
        self._shown = b""

    def wait_for(self, text: str) -> None:
        """Wait until the terminal has shown a text."""
        deadline = time.monotonic() + _PATIENCE
        while text.encode() not in self._shown:
            assert self._read(deadline), f"{text!r} did not appear: {self._shown.decode(errors='replace')}"

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self._descriptor, keys.encode())

    def interrupt(self) -> Finished:
        """Type Ctrl-C, every second until the program has ended.

        One that arrives just before Python starts to read the terminal is noticed only with the next key.
        """
        for _ in range(int(_PATIENCE)):
            self.type("\x03")
            until = time.monotonic() + 1.0
            while (left := until - time.monotonic()) > 0:
                if select.select([self._descriptor], [], [], left)[0] and not self._read(until):
                    return self.finish()
        return self.finish()

    def finish(self) -> Finished:
        """Wait until the program has ended."""
        deadline = time.monotonic() + _PATIENCE
        while self._read(deadline):
            pass
        _, status = os.waitpid(self._process_id, 0)
        self._process_id = 0
        return Finished(os.waitstatus_to_exitcode(status), self._shown.decode(errors="replace").replace("\r\n", "\n"))

    def _read(self, deadline: float) -> bool:
        """Read what has appeared; return whether more may come."""
        readable, _, _ = select.select([self._descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert readable, f"nothing more appeared within {_PATIENCE} s: {self._shown.decode(errors='replace')}"
        with suppress(OSError):  # Linux: the program has closed its end
            chunk = os.read(self._descriptor, 65_536)
            self._shown += chunk
            return bool(chunk)
        return False

    def end(self) -> None:
        """End the program if it still runs, and close the terminal."""
        if self._process_id:
            os.kill(self._process_id, signal.SIGKILL)
            os.waitpid(self._process_id, 0)
        os.close(self._descriptor)


@contextmanager
def in_terminal(environ: Mapping[str, str], *args: str, columns: int = 80, rows: int = 24) -> Iterator[Terminal]:
    """Run `recs` with a terminal of this size as its standard streams; end it with the block."""
    process_id, descriptor = pty.fork()
    if process_id == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored if the tests were started in a shell's background
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execve(sys.executable, [sys.executable, "-m", "recommendation_cli", *args], dict(environ))  # noqa: S606
    terminal = Terminal(process_id, descriptor)
    try:
        yield terminal
    finally:
        terminal.end()


def shown(environ: Mapping[str, str], *args: str, columns: int = 80, rows: int = 24) -> Finished:
    """Run `recs` in a terminal to its end."""
    with in_terminal(environ, *args, columns=columns, rows=rows) as terminal:
        return terminal.finish()
