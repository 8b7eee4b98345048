"""The pager that long output goes through on a terminal, as with git: `RECS_PAGER`, `PAGER`, else less."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import click

from recommendation_cli.screen.streams import OutputError, StandardOutput
from recommendation_cli.screen.visible import visible

if TYPE_CHECKING:
    import subprocess

P = ParamSpec("P")
R = TypeVar("R")

_NONE: Final = ("", "cat")
# Quit at once if everything fits on the screen, pass colours on, and leave the text on the screen; as git does.
_LESS: Final = {"LESS": "FRX", "LV": "-c"}


def paged(command: click.Command) -> click.Command:
    """Send what a command prints through the pager, unless it follows new recommendations."""
    if command.callback is not None:
        command.callback = _through_pager(command.callback)
    return command


def _through_pager(callback: Callable[P, R]) -> Callable[P, R]:
    @wraps(callback)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if click.get_current_context().params.get("follow"):
            return callback(*args, **kwargs)
        with pager(os.environ):
            return callback(*args, **kwargs)

    return run


@contextmanager
def pager(environ: Mapping[str, str]) -> Iterator[None]:
    """Send standard output to the pager, and error messages too; wait until the reader has left it.

    Does nothing unless standard output is a terminal. Leaving the pager early is not an error.
    """
    raw = _terminal()
    words = _words(environ) if raw is not None else []
    if raw is None or not words:
        yield
        return
    import subprocess

    columns = os.get_terminal_size(raw.fileno()).columns
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, env={**_LESS, **environ})  # noqa: S603 - the user's own
    except OSError as error:
        click.echo(f"The pager {visible(words[0])} cannot be started ({error.strerror}): see RECS_PAGER.", err=True)
        yield
        return
    with _redirected(raw, process, columns):
        yield


def _terminal() -> StandardOutput | None:
    """Return standard output if it is a terminal that `recs` opened itself."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, StandardOutput) and raw.isatty() else None


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


@contextmanager
def _redirected(raw: StandardOutput, process: "subprocess.Popen[bytes]", columns: int) -> Iterator[None]:
    if process.stdin is None:
        raise ValueError("the pager has no pipe")
    standard = [raw.fileno()] + [2] * sys.stderr.isatty()
    sys.stdout.flush()
    saved = [os.dup(descriptor) for descriptor in standard]
    with process.stdin as pipe:
        for descriptor in standard:
            os.dup2(pipe.fileno(), descriptor)
    raw.paged_columns = columns
    try:
        yield
    except OutputError as error:
        if not error.is_closed_pipe:
            raise
    finally:
        _finish(standard, saved)
        raw.paged_columns = None
        # Ctrl-C is for the pager from now on.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.wait()
        signal.signal(signal.SIGINT, previous)


def _finish(standard: list[int], saved: list[int]) -> None:
    """Print the rest, and give the terminal back, which ends the pager's input."""
    try:
        sys.stdout.flush()
    except OutputError:  # the reader has left the pager: what is left goes nowhere
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, standard[0])
        os.close(nowhere)
        sys.stdout.flush()
    for descriptor, terminal in zip(standard, saved, strict=True):
        os.dup2(terminal, descriptor)
        os.close(terminal)
