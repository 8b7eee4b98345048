"""Redriving message by message: receive, send what is chosen, delete what the queue confirmed, return the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import IncompleteError
from recommendation_cli.dead_letters.letter import DeadLetter, replay_batches
from recommendation_cli.dead_letters.replay.counts import print_counts
from recommendation_cli.dead_letters.replay.replay import Replay
from recommendation_cli.dead_letters.session import Held, QueueSession
from recommendation_cli.screen.interrupt import deferred_interrupt
from recommendation_shared.wording import plural

_AGAIN = "Run the same command again"


def redrive_messages(session: QueueSession, replay: Replay, destination: str, hold: int | None) -> None:
    """Redrive, print the counts, and raise click's error when something is left that should not be."""
    total = min(replay.limit or session.depth.visible, session.depth.visible)
    try:
        with (
            deferred_interrupt() as is_interrupted,
            session.hold(hold, rate=replay.pace.rate) as held,
            session.progress("redriven") as report,
        ):
            _Redrive(held, replay, is_interrupted, lambda sent: report(sent, total)).run()
            interrupted = is_interrupted()
    finally:
        print_counts(replay.counts, "Redriven", destination, replay.journal)
    if interrupted:
        click.echo(f"Interrupted. The rest is still in {session.name}. {_AGAIN} to continue.", err=True)
        raise KeyboardInterrupt
    saw_everything = not (replay.has_reached_limit or held.is_full or replay.counts.undeleted)
    if saw_everything and not session.depth.in_flight:
        # An earlier run sent these, and they are not in the queue although nothing is hidden: it had deleted them too.
        replay.journal.deleted(set(replay.journal.unfinished))
    _raise_if_incomplete(session, replay, held)


@dataclass
class _Redrive:
    held: Held
    replay: Replay
    is_interrupted: Callable[[], bool]
    report: Callable[[int], None]  # called with how many were sent

    def run(self) -> None:
        """Redrive until the queue has no more, the limit is reached or Ctrl-C was pressed; raise botocore's errors."""
        counts = self.replay.counts
        for letters in self.held.receive(self._wanted):
            counts.resumed += self._delete(self.replay.sent_earlier(letters))
            for batch in replay_batches(self.replay.choose(letters)):
                if self.is_interrupted():
                    return
                counts.sent += self._delete(self.replay.send(batch))
                self.report(counts.sent)

    def _wanted(self) -> int:
        return 0 if self.is_interrupted() or self.replay.has_reached_limit else self.replay.pace.batch_size

    def _delete(self, letters: Sequence[DeadLetter]) -> int:
        deleted = self.held.delete(letters)
        self.replay.journal.deleted(deleted)
        self.replay.counts.undeleted += len(letters) - len(deleted)
        return len(deleted)


def _raise_if_incomplete(session: QueueSession, replay: Replay, held: Held) -> None:
    counts, depth = replay.counts, session.depth
    if counts.undeleted or counts.refused:
        raise IncompleteError(f"Some dead letters are still in {session.name}. {_AGAIN} to continue.")
    if replay.journal.unfinished and depth.in_flight:
        unfinished = plural(len(replay.journal.unfinished), "dead letter")
        raise IncompleteError(
            f"{unfinished} sent by an earlier run may still be hidden by it. {_AGAIN} when its hold has passed"
            f" ({plural(held.hold, 'second')} unless you set it) to delete them."
        )
    if held.is_full:
        raise IncompleteError(
            f"No more than {plural(held.received, 'message')} can be hidden at a time. {_AGAIN} for the rest."
        )
    if depth.in_flight and not replay.has_reached_limit and held.received < depth.visible + depth.in_flight:
        raise IncompleteError(
            f"{plural(depth.in_flight, 'message')} in flight, hidden by another reader, could not be redriven. {_AGAIN}"
            " when they are visible again: `recs dlq status` counts them."
        )
    if not counts.sent and not counts.resumed:
        raise NothingFoundError(
            f"Nothing to redrive in the {session.target}{depth.in_flight_note}: see `recs dlq redrive` without --yes."
        )
