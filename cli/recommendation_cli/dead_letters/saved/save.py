"""`recs dlq save`: writes dead letters to a file, which appears only when it is complete."""

from pathlib import Path
from typing import Final

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import IncompleteError
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.saved.file import saved_line
from recommendation_cli.dead_letters.selection import Selection
from recommendation_cli.dead_letters.source import open_dead_letters
from recommendation_cli.durable_file import durable_file
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_shared import limits
from recommendation_shared.wording import plural

_MODE: Final = 0o600  # it holds what agents wrote


def save_letters(runtime: Runtime, options: QueueOptions, selection: Selection, path: Path, hold: int | None) -> None:
    """Write the dead letters that match the filters to a new file."""
    target = options.dead_letters(runtime)
    name = visible(str(path))
    if path.exists():
        raise click.UsageError(f"{name} exists: choose another file.")
    saved = 0
    try:
        with durable_file(path, replace=False, mode=_MODE) as stream:
            session = open_dead_letters(runtime, options)
            with session.hold(hold) as held, session.progress("saved") as report:
                for letters in held.receive(lambda: limits.SQS_BATCH_ENTRIES):
                    for letter in filter(selection.matches, letters):
                        stream.write(saved_line(letter).encode())
                        saved += 1
                    report(held.received, session.depth.visible)
            if not saved:
                raise NothingFoundError(
                    f"No matching dead letters in the {target}{session.depth.in_flight_note}: nothing was written."
                )
    except FileExistsError:
        raise click.UsageError(f"{name} exists now: choose another file.") from None
    except OSError as error:
        raise click.UsageError(f"{name} cannot be written: {error.strerror}.") from None
    click.echo(f"Saved {plural(saved, 'dead letter')} in {name}; nothing was deleted.")
    depth = session.depth
    if held.is_full or held.received < depth.visible or depth.in_flight:
        raise IncompleteError(
            f"Only {held.received:,} of about {depth.visible:,} could be received{depth.in_flight_note}: save the rest"
            " to another file later. `recs dlq purge` deletes only what a file holds."
        )
