"""`recs dlq purge`: deletes only what a saved file holds, message by message, unlike PurgeQueue, which deletes all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import IncompleteError
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.saved.file import content_digest, read_saved
from recommendation_cli.dead_letters.session import Held, QueueSession
from recommendation_cli.dead_letters.source import open_dead_letters
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.interrupt import deferred_interrupt
from recommendation_cli.screen.typed import require_typed
from recommendation_cli.screen.visible import visible
from recommendation_shared import limits
from recommendation_shared.wording import plural


def purge_letters(runtime: Runtime, options: QueueOptions, path: Path, confirm: str | None, hold: int | None) -> None:
    """Delete the dead letters that the file holds with the same content, and no others."""
    saved = {letter.message_id: content_digest(letter) for letter in read_saved(path)}
    if not saved:
        raise click.UsageError(f"{visible(str(path))} holds no dead letters: nothing to delete.")
    session = open_dead_letters(runtime, options)
    name = session.target.name
    warning = f"This permanently deletes {plural(len(saved), 'message')} from {visible(name)}."
    require_typed(name, confirm, what="the dead-letter queue's name", warning=warning)
    purge = _Purge(saved)
    with (
        deferred_interrupt() as is_interrupted,
        session.hold(hold) as held,
        session.progress("deleted") as report,
    ):
        purge.run(held, is_interrupted, report)
        interrupted = is_interrupted()
    _print_end(session, held, purge, visible(str(path)), interrupted=interrupted)


@dataclass
class _Purge:
    """One run; `saved` maps message IDs to content digests."""

    saved: dict[str, str]
    deleted: int = 0
    undeleted: int = 0  # SQS did not confirm the deletion
    changed: int = 0  # the queue has the message with other content

    @property
    def missing(self) -> int:
        return len(self.saved) - self.deleted

    def run(self, held: Held, is_interrupted: Callable[[], bool], report: Callable[[int, int], None]) -> None:
        for letters in held.receive(lambda: 0 if is_interrupted() else limits.SQS_BATCH_ENTRIES):
            named = [letter for letter in letters if letter.message_id in self.saved]
            unchanged = [letter for letter in named if self.saved[letter.message_id] == content_digest(letter)]
            confirmed = len(held.delete(unchanged))
            self.deleted += confirmed
            self.undeleted += len(unchanged) - confirmed
            self.changed += len(named) - len(unchanged)
            report(self.deleted, len(self.saved))


def _print_end(session: QueueSession, held: Held, purge: _Purge, file: str, *, interrupted: bool) -> None:
    left = held.received - purge.deleted - purge.undeleted
    click.echo(f"Deleted {plural(purge.deleted, 'dead letter')} that {file} holds.")
    if left:
        click.echo(f"Left {plural(left, 'dead letter')} that the file does not hold.")
    if interrupted:
        raise KeyboardInterrupt
    verb = "was" if purge.missing == 1 else "were"
    missing = f"{purge.missing:,} of the {plural(len(purge.saved), 'dead letter')} in the file {verb}"
    if purge.changed:
        raise IncompleteError(
            f"{missing} not deleted. The queue has {purge.changed:,} of them with different content: save them"
            " to a new file and purge that."
        )
    if purge.undeleted or held.is_full or (purge.missing and session.depth.in_flight):
        raise IncompleteError(f"{missing} not deleted and may be in flight for another reader. Run this again later.")
    if not purge.deleted:
        raise NothingFoundError(
            f"Nothing that {file} holds is in the {session.target}: it was purged or redriven already."
        )
    if purge.missing:
        click.echo(f"{missing} no longer in the queue: purged or redriven already.")
