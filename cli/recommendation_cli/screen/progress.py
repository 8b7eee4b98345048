"""How far a long run is, on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import click

Report = Callable[[int, int], None]
"""Called with how many are done and how many there are, 0 if that is not known."""

_LINE_SECONDS: Final = 5.0


@contextmanager
def progress(environ: Mapping[str, str], verb: str, monotonic: Callable[[], float]) -> Iterator[Report]:
    """Yield the function to report to; `verb` is a past participle, such as `moved`."""
    if sys.stderr.isatty() and environ.get("TERM") != "dumb":
        with _bar(environ, verb) as report:
            yield report
    else:
        yield _lines(verb, monotonic)


@contextmanager
def _bar(environ: Mapping[str, str], verb: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=bool(environ.get("NO_COLOR")), highlight=False)
    columns = (TextColumn(verb), BarColumn(30), TextColumn("{task.completed} of about {task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task(verb, total=0)
        # The total is an approximation, and a bar beyond its end looks broken.
        yield lambda done, total: bars.update(task, completed=done, total=max(done, total))


def _lines(verb: str, monotonic: Callable[[], float]) -> Report:
    due = monotonic() + _LINE_SECONDS

    def report(done: int, total: int) -> None:
        nonlocal due
        if monotonic() >= due:
            due = monotonic() + _LINE_SECONDS
            click.echo(f"{verb} {done}{f' of about {total}' if total else ''}", err=True)

    return report
