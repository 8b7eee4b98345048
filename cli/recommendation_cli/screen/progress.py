"""The progress of a long run, on stderr: a bar on a terminal, elsewhere a line every few seconds."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.console import Console

Report = Callable[[str, int, int | None], None]
"""Called with a text such as `1,200 recommendations`, what is done, and the total (None if it is not known)."""

_LINE_SECONDS: Final = 5.0


@contextmanager
def progress(environ: Mapping[str, str], monotonic: Callable[[], float]) -> Iterator[Report]:
    """Yield the function to report to. `monotonic` returns seconds."""
    if sys.stderr.isatty() and environ.get("TERM") != "dumb":
        with _bar(environ) as report:
            yield report
    else:
        yield _lines(monotonic)


@contextmanager
def count_progress(
    environ: Mapping[str, str], verb: str, monotonic: Callable[[], float]
) -> Iterator[Callable[[int, int], None]]:
    """Yield the function to report counts to: done, and an approximate total (0 if it is not known).

    `verb` is a past participle, such as `moved`.
    """
    with progress(environ, monotonic) as report:
        yield lambda done, total: report(
            f"{verb} {done:,}{f' of about {total:,}' if total else ''}", done, total or None
        )


@contextmanager
def bottom_line(console: "Console") -> Iterator[Callable[[str], None]]:
    """Yield the function that shows a text below what a terminal prints meanwhile, until the block ends."""
    from rich.text import Text

    with console.status(Text("reading", style="dim"), refresh_per_second=4) as status:
        yield lambda text: status.update(Text(text, style="dim"))


@contextmanager
def _bar(environ: Mapping[str, str]) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(20), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = Console(stderr=True, force_terminal=True, no_color=bool(environ.get("NO_COLOR")), highlight=False)
    # On a terminal, results appear above the bar. Elsewhere they must not be taken along to stderr.
    on_screen = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=on_screen) as display:
        task = display.add_task("starting", total=None)

        def report(text: str, done: int, total: int | None) -> None:
            # SQS's totals are approximate. At one that is too low, the bar would count as finished and its clock stop.
            end = None if total is None else max(done, total)
            display.update(task, description=text, completed=done, total=end)

        yield report


def _lines(monotonic: Callable[[], float]) -> Report:
    due = monotonic() + _LINE_SECONDS

    def report(text: str, _done: int, _total: int | None) -> None:
        nonlocal due
        if monotonic() >= due:
            due = monotonic() + _LINE_SECONDS
            click.echo(text, err=True)

    return report
