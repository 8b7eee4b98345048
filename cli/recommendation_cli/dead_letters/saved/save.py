"""`recs dlq save`."""

from pathlib import Path
from typing import Final

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import IncompleteError, explained_queue
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.receiving import Held, hold_seconds, holding, read_depth
from recommendation_cli.dead_letters.saved.file import saved_line
from recommendation_cli.dead_letters.selection import Selection
from recommendation_cli.durable_file import durable_file
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import count_progress
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import plural
from recommendation_shared import limits

_MODE: Final = 0o600  # it holds what agents wrote


def save_letters(runtime: Runtime, options: QueueOptions, selection: Selection, path: Path, hold: int | None) -> None:
    """Write the dead letters that pass the filters to a new file, which appears when it is whole."""
    target = options.dead_letters(runtime)
    if path.exists():
        raise click.UsageError(f"{visible(str(path))} exists: name another file.")
    saved = 0
    try:
        with durable_file(path, replace=False, mode=_MODE) as stream, explained_queue(target):
            sqs = runtime.connect_queues(target)
            depth = read_depth(sqs, target.url)
            hold = hold or hold_seconds(depth.visible)
            with (
                holding(Held(sqs, target.url, hold, runtime.monotonic)) as held,
                count_progress(runtime.environ, "saved", runtime.monotonic) as report,
            ):
                for letters in held.receive(lambda: limits.SQS_BATCH_ENTRIES):
                    for letter in filter(selection.passes, letters):
                        stream.write(saved_line(letter).encode())
                        saved += 1
                    report(held.looked_at, depth.visible)
            if not saved:
                hidden = f" ({depth.in_flight} are in flight, hidden by another reader)" if depth.in_flight else ""
                raise NothingFoundError(f"No such dead letter in the {target}{hidden}: nothing was written.")
    except FileExistsError:
        raise click.UsageError(f"{visible(str(path))} exists: name another file.") from None
    except OSError as error:
        raise click.UsageError(f"{visible(str(path))} cannot be written: {error.strerror}.") from None
    click.echo(f"Saved {plural(saved, 'dead letter')} in {visible(str(path))}; the queue still has them.")
    if held.full or held.looked_at < depth.visible or depth.in_flight:
        raise IncompleteError(
            f"Only {held.looked_at} of about {depth.visible} were to be had, {depth.in_flight} were in flight: save the"
            " rest to another file later. `recs dlq purge` deletes only what a file holds."
        )
