"""`recs dlq purge`: only what a saved file holds, message by message, and never PurgeQueue, which asks nothing."""

import sys
from pathlib import Path

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import IncompleteError, explained_queue
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.receiving import Held, hold_seconds, holding, read_depth
from recommendation_cli.dead_letters.saved.file import content_digest, read_saved
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.interrupt import deferred_interrupt
from recommendation_cli.screen.progress import count_progress
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import plural
from recommendation_shared import limits


def purge_letters(runtime: Runtime, options: QueueOptions, path: Path, confirm: str | None, hold: int | None) -> None:
    """Delete the dead letters that are in the file with the same content; leave every other one."""
    target = options.dead_letters(runtime)
    saved = {letter.message_id: content_digest(letter) for letter in read_saved(path)}
    if not saved:
        raise click.UsageError(f"{visible(str(path))} holds no dead letter: nothing to delete.")
    with explained_queue(target):
        sqs = runtime.connect_queues(target)
        depth = read_depth(sqs, target.url)
    _confirm(target.name, len(saved), depth.visible, confirm)
    deleted = undeleted = changed = 0
    with (
        explained_queue(target),
        deferred_interrupt() as stopped,
        holding(Held(sqs, target.url, hold or hold_seconds(depth.visible), runtime.monotonic)) as held,
        count_progress(runtime.environ, "deleted", runtime.monotonic) as report,
    ):
        for letters in held.receive(lambda: 0 if stopped() else limits.SQS_BATCH_ENTRIES):
            named = [letter for letter in letters if letter.message_id in saved]
            same = [letter for letter in named if saved[letter.message_id] == content_digest(letter)]
            confirmed = len(held.delete(same))
            deleted += confirmed
            undeleted += len(same) - confirmed
            changed += len(named) - len(same)
            report(deleted, len(saved))
        interrupted = stopped()
    left = held.looked_at - deleted - undeleted
    click.echo(f"Deleted {plural(deleted, 'dead letter')}, which {visible(str(path))} holds.")
    if left:
        click.echo(f"Left {plural(left, 'dead letter')} that the file does not hold.")
    if interrupted:
        raise KeyboardInterrupt
    missing = len(saved) - deleted
    if changed:
        raise IncompleteError(
            f"{missing} of the file were not deleted, {changed} of them because the queue has them with other content:"
            " save them to a new file and purge that."
        )
    if undeleted or held.full or (missing and depth.in_flight):
        raise IncompleteError(
            f"{missing} of the file were not deleted; they may be in flight for another reader. Run this again later."
        )
    if not deleted:
        raise NothingFoundError(
            f"Nothing that {visible(str(path))} holds is in the {target}: purged or redriven already."
        )
    if missing:
        click.echo(f"{missing} of the file were not in the queue any more: purged or redriven already.")


def _confirm(name: str, saved: int, depth: int, confirm: str | None) -> None:
    if confirm is None:
        if not sys.stdin.isatty():
            raise click.UsageError(f"Without a terminal, confirm with --confirm {visible(name)}.")
        click.echo(f"This deletes for ever {plural(saved, 'dead letter')} out of about {depth}.", err=True)
        confirm = click.prompt("Type the dead-letter queue's name to go on", err=True, default="", show_default=False)
    if confirm != name:
        raise click.UsageError("That is not the dead-letter queue's name: nothing was deleted.")
