"""The pager that long output goes through on a terminal, as with git: `RECS_PAGER`, `PAGER`, else less."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import click

from recommendation_cli.screen.streams import OutputError, StandardOutput, discard_output, opened_output
from recommendation_cli.screen.visible import visible

if TYPE_CHECKING:
    import subprocess

P = ParamSpec("P")
R = TypeVar("R")

NO_PAGER: Final = "recommendation_cli.no_pager"  # in click's `meta`: true where --no-pager was given
_STDERR: Final = 2  # file descriptor
_NONE: Final = ("", "cat")
# Quit at once if everything fits on the screen, pass colours on, and leave the text on the screen; as git does.
_LESS: Final = {"LESS": "FRX", "LV": "-c"}


def paged(command: click.Command) -> click.Command:
    """Send what a command prints through the pager, unless it follows new recommendations or `--no-pager` was given."""
    if command.callback is not None:
        command.callback = _through_pager(command.callback)
    return command


def _through_pager(callback: Callable[P, R]) -> Callable[P, R]:
    @wraps(callback)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        ctx = click.get_current_context()
        if ctx.params.get("follow") or ctx.meta.get(NO_PAGER):
            return callback(*args, **kwargs)
        with pager(os.environ):
            return callback(*args, **kwargs)

    return run


@contextmanager
def pager(environ: Mapping[str, str]) -> Iterator[None]:
    """Send standard output to the pager from its first byte on, and error messages too; wait until it is left.

    Does nothing unless standard output is a terminal. Until there is output, prompts such as that for an MFA code have
    the terminal to themselves. Leaving the pager early is not an error.
    """
    raw = _terminal()
    words = _words(environ) if raw is not None else []
    if raw is None or not words:
        yield
        return
    sys.stdout.flush()
    pipe = _Pipe(raw, words, environ)
    raw.before_first_write = pipe.open
    try:
        yield
    except OutputError as error:
        if not error.is_closed_pipe or not pipe.is_open:
            raise
    finally:
        pipe.close()


def _terminal() -> StandardOutput | None:
    """Return standard output if it is a terminal that `recs` opened itself."""
    raw = opened_output()
    return raw if raw is not None and raw.isatty() else None


def _words(environ: Mapping[str, str]) -> list[str]:
    import shlex
    import shutil

    command = environ.get("RECS_PAGER", environ.get("PAGER", shutil.which("less") or ""))
    if command.strip() in _NONE or environ.get("TERM") == "dumb":
        return []
    try:
        return shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"RECS_PAGER or PAGER cannot be read: {error}.") from None


class _Pipe:
    """The way from the standard streams, as far as they are the terminal, to a pager that shows them there."""

    def __init__(self, raw: StandardOutput, words: list[str], environ: Mapping[str, str]) -> None:
        self._raw = raw
        self._words = words
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._saved: dict[int, int] = {}  # file descriptor -> a copy of what it was

    @property
    def is_open(self) -> bool:
        """Whether the pager was started."""
        return self._process is not None

    def open(self) -> None:
        """Start the pager; without it, say why and print directly."""
        import subprocess

        columns = os.get_terminal_size(self._raw.fileno()).columns
        environ = {**_LESS, **self._environ}
        try:
            process = subprocess.Popen(self._words, stdin=subprocess.PIPE, env=environ)  # noqa: S603 - the user's choice
        except OSError as error:
            name = visible(self._words[0])
            click.echo(f"The pager {name} cannot be started ({error.strerror}): see RECS_PAGER.", err=True)
            return
        if process.stdin is None:
            raise ValueError("the pager has no pipe")
        with process.stdin as pipe:
            for descriptor in (self._raw.fileno(), *([_STDERR] if sys.stderr.isatty() else [])):
                self._saved[descriptor] = os.dup(descriptor)
                os.dup2(pipe.fileno(), descriptor)
        self._raw.paged_columns = columns
        self._process = process

    def close(self) -> None:
        """Print the rest, give the terminal back, which ends the pager's input, and wait for the reader."""
        try:
            sys.stdout.flush()
        except OutputError:  # the reader has left the pager: what is left goes nowhere
            discard_output()
            sys.stdout.flush()
        self._raw.before_first_write = None
        self._raw.paged_columns = None
        for descriptor, terminal in self._saved.items():
            os.dup2(terminal, descriptor)
            os.close(terminal)
        if self._process is not None:
            previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pager from now on
            self._process.wait()
            signal.signal(signal.SIGINT, previous)
