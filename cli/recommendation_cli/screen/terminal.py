"""The terminal or pipe that tables are printed on, and the small drawings that they share."""

import sys
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.text import Text

PIPE_WIDTH: Final = 120  # columns, where nobody says how wide the reader's window is
BAR_CELLS: Final = 5
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_STYLES: Final = {"SUCCESS": "green", "PARTIAL": "yellow", "TIMEOUT": "bold yellow"}
_TROUBLE: Final = "bold red"


class _Terminal(Console):
    def on_broken_pipe(self) -> None:
        """Leave a closed pipe to the program instead of ending it with the code of "nothing found"."""
        raise BrokenPipeError


def open_terminal(environ: Mapping[str, str]) -> Console:
    """Return a console on stdout: no ANSI codes at all when it is no terminal or NO_COLOR is set."""
    plain = not sys.stdout.isatty() or bool(environ.get("NO_COLOR"))
    width = None if sys.stdout.isatty() or environ.get("COLUMNS") else PIPE_WIDTH
    return _Terminal(
        file=sys.stdout, width=width, color_system=None if plain else "auto", highlight=False, markup=False, emoji=False
    )


def print_scope(console: Console, scope: str) -> None:
    """Say above a list to what it was narrowed; nothing when it was not."""
    if scope:
        console.print(Text(scope[:1].upper() + scope[1:], style="dim"), soft_wrap=not console.is_terminal)
        console.print()


def confidence_bar(confidence: float | None, *, odd: bool, ascii_only: bool) -> Text:
    """Return the confidence as a number and a bar: 10 columns; `odd` marks one that was not from 0 to 1."""
    if confidence is None:
        return Text("odd", style="yellow") if odd else Text("none", style="dim")
    eighths = round(confidence * BAR_CELLS * 8)
    whole, rest = divmod(eighths, 8)
    bar = "#" * whole if ascii_only else "█" * whole + _EIGHTHS[rest].strip()
    return Text.assemble(f"{confidence:.2f} ", (bar, "cyan"))


def status_mark(status: str) -> Text:
    """Return the status; anything but a success carries a `!`, so that it also shows without colour."""
    if status in ("SUCCESS", ""):
        return Text(status.lower(), style="dim")
    return Text(f"! {status}", style=_STYLES.get(status, _TROUBLE))
