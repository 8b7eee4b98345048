"""`recs dlq save`."""

import os
from pathlib import Path
from typing import Final

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import IncompleteError, explained_queue
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.receiving import Held, hold_seconds, holding, read_depth
from recommendation_cli.dead_letters.saved.file import saved_line
from recommendation_cli.dead_letters.selection import Selection
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import counted
from recommendation_shared import limits

_MODE: Final = 0o600  # it holds what agents wrote


def save_letters(runtime: Runtime, options: QueueOptions, selection: Selection, path: Path, hold: int | None) -> None:
    """Write the dead letters that pass the filters to a new file, which appears when it is whole."""
    target = options.dead_letters(runtime)
    if path.exists():
        raise click.UsageError(f"{visible(str(path))} exists: name another file.")
    part = path.with_name(f"{path.name}.part")
    saved = 0
    try:
        part.unlink(missing_ok=True)  # of a save that was killed; its permissions may be any
        stream = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{visible(str(part))} cannot be written: {error.strerror}.") from None
    try:
        with stream, explained_queue(target):
            sqs = runtime.connect_queues(target)
            depth = read_depth(sqs, target.url)
            hold = hold or hold_seconds(depth.visible)
            with (
                holding(Held(sqs, target.url, hold, runtime.monotonic)) as held,
                progress(runtime.environ, "saved", runtime.monotonic) as report,
            ):
                for letters in held.receive(lambda: limits.SQS_BATCH_ENTRIES):
                    for letter in filter(selection.passes, letters):
                        stream.write(saved_line(letter))
                        saved += 1
                    report(held.looked_at, depth.visible)
            stream.flush()
            os.fsync(stream.fileno())
        if not saved:
            hidden = f" ({depth.in_flight} are in flight, hidden by another reader)" if depth.in_flight else ""
            raise NothingFoundError(f"No such dead letter in the {target}{hidden}: nothing was written.")
        os.link(part, path)  # unlike a rename, never over another file
    except FileExistsError:
        raise click.UsageError(f"{visible(str(path))} exists by now: name another file.") from None
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"Saved {counted(saved)} in {visible(str(path))}; the queue still has them.")
    if held.full or held.looked_at < depth.visible or depth.in_flight:
        raise IncompleteError(
            f"Only {held.looked_at} of about {depth.visible} were to be had, {depth.in_flight} were in flight: save the"
            " rest to another file later. `recs dlq purge` deletes only what a file holds."
        )
