"""Progress of a long step: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_SECONDS_BETWEEN_LINES = 2.0

Advance = Callable[[int, str], None]  # how much is done by now, and what is being done


def say(line: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Yield a function that shows how far the step is."""
    if sys.stdout.isatty():
        columns = (
            TextColumn(f"  {what}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns) as bar:
            task = bar.add_task("", total=total)
            yield lambda done, doing: bar.update(task, completed=done, description=doing)
        return
    last = -_SECONDS_BETWEEN_LINES

    def line(done: int, doing: str) -> None:
        nonlocal last
        if done >= total or time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(f"  {what}: {done}/{total} {doing}".rstrip())

    yield line
