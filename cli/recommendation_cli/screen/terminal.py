"""The terminal or pipe that commands print to, and the small elements that their output shares."""

import sys
from collections.abc import Mapping
from typing import Final, Literal

from rich.console import Console
from rich.text import Text

from recommendation_cli.facts import succeeded
from recommendation_cli.screen.streams import columns

WIDE: Final = 110  # columns; on a narrower terminal a headline takes a line to itself
PIPE_WIDTH: Final = 120  # columns, where nothing tells the width of the reader's window
BAR_CELLS: Final = 5
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_STYLES: Final = {"PARTIAL": "yellow", "TIMEOUT": "bold yellow"}
_TROUBLE: Final = "bold red"


def open_terminal(environ: Mapping[str, str]) -> Console:
    """Return a console on stdout, with ANSI codes on a terminal or with FORCE_COLOR, and never with NO_COLOR."""
    is_terminal = sys.stdout.isatty()
    colours: Literal["auto", "standard"] | None = None
    if not environ.get("NO_COLOR"):
        colours = "auto" if is_terminal and not environ.get("FORCE_COLOR") else "standard"
        if not is_terminal and environ.get("FORCE_COLOR", "0") in {"", "0", "false"}:
            colours = None
    return Console(
        file=sys.stdout,
        width=columns(environ, PIPE_WIDTH),
        force_terminal=is_terminal,
        color_system=colours,
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_scope(console: Console, scope: str) -> None:
    """Print how a list is narrowed, above the list; nothing when it is not."""
    if scope:
        console.print(Text(scope[:1].upper() + scope[1:], style="dim"), soft_wrap=not console.is_terminal)
        console.print()


def confidence_bar(confidence: float | None, *, odd: bool, ascii_only: bool) -> Text:
    """Return the confidence as a number and a bar, 10 columns wide; `odd` means that it was not from 0 to 1."""
    if confidence is None:
        return Text("odd", style="yellow") if odd else Text("none", style="dim")
    eighths = round(confidence * BAR_CELLS * 8)
    whole, rest = divmod(eighths, 8)
    bar = "#" * whole if ascii_only else "█" * whole + _EIGHTHS[rest].strip()
    return Text.assemble(f"{confidence:.2f} ", (bar, "cyan"))


def status_mark(status: str) -> Text:
    """Return the status; anything but a success starts with `!`, so that it stands out without colour too."""
    if succeeded(status):
        return Text(status.lower(), style="dim")
    return Text(f"! {status}", style=_STYLES.get(status.upper(), _TROUBLE))
