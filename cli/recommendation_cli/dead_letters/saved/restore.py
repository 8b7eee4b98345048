"""`recs dlq restore`: sends what a saved file holds to the queue again, which is the way back from a purge."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import IncompleteError, explained_queue
from recommendation_cli.dead_letters.letter import DeadLetter, replay_batches
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.receiving import read_depth
from recommendation_cli.dead_letters.redrive.dry_run import Outlook, print_fates
from recommendation_cli.dead_letters.redrive.journal import Journal, default_path, open_journal, sent_before
from recommendation_cli.dead_letters.redrive.run import Order
from recommendation_cli.dead_letters.redrive.sending import Pace, Sender
from recommendation_cli.dead_letters.redrive.summary import print_tally
from recommendation_cli.dead_letters.redrive.tally import Choice, Tally
from recommendation_cli.dead_letters.saved.file import file_digest, read_saved
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.interrupt import deferred_interrupt
from recommendation_cli.screen.progress import count_progress
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import plural
from recommendation_shared.envelope.identity import EPOCH, sort_key


def restore_letters(runtime: Runtime, options: QueueOptions, path: Path, order: Order) -> None:
    """Say what would be sent, or with `order.yes` send it, and say what was sent."""
    target = options.destination(runtime)
    source = f"sha256:{_digest(path)}"
    journal_path = order.journal or default_path(runtime.environ, "restore", target.name, f"{source} {target.url}")
    before = sent_before(journal_path, source, target.url)
    outlook = Outlook(visible(path.name), target.name)
    for letter in read_saved(path):  # all of it, before anything is sent
        if letter.message_id not in before:
            outlook.add([letter], order.guard)
    if not order.yes:
        _say(runtime, path, outlook, order.limit, len(before))
        return
    at = sort_key(EPOCH + timedelta(seconds=runtime.now()))
    total = outlook.moved.total
    order = order._replace(limit=min(order.limit or total, total))
    with open_journal(journal_path, source, target.url, at) as journal:
        _send(runtime, target, path, order, journal)


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise click.UsageError(f"{visible(str(path))} cannot be read: {error.strerror}.") from None


def _say(runtime: Runtime, path: Path, outlook: Outlook, limit: int | None, before: int) -> None:
    if outlook.looked_at:
        console = open_terminal(runtime.environ)
        console.print(
            f"{visible(str(path))}: {plural(outlook.looked_at, 'dead letter')} not sent yet.\n",
            soft_wrap=not console.is_terminal,
        )
        print_fates(console, outlook, runtime.now())
        sys.stdout.flush()
    if before:
        click.echo(
            f"\n{plural(before, 'dead letter')} of it were sent by an earlier run, and will not be sent again.",
            err=True,
        )
    if not outlook.moved.total:
        raise NothingFoundError(_nothing(path, outlook))
    most = outlook.moved.total if limit is None else min(limit, outlook.moved.total)
    click.echo(
        f"\nDry run, nothing was changed: {plural(most, 'dead letter')} would be sent.\n--yes does it.", err=True
    )


def _nothing(path: Path, outlook: Outlook) -> str:
    if outlook.poison.total:
        return (
            f"Nothing to send of {visible(str(path))} but poison: mend its cause first, then name its --reason or pass"
            " --include-poison."
        )
    which = " that the filters let pass" if outlook.others.total else ""
    return f"{visible(str(path))} holds no dead letter{which} that was not sent yet."


def _send(runtime: Runtime, target: QueueTarget, path: Path, order: Order, journal: Journal) -> None:
    tally = Tally()
    choice = Choice(order.guard, order.limit, tally)
    try:
        with (
            explained_queue(target),
            deferred_interrupt() as stopped,
            count_progress(runtime.environ, "sent", runtime.monotonic) as report,
        ):
            sqs = runtime.connect_queues(target)
            read_depth(sqs, target.url)  # there is such a queue
            pace = Pace(order.rate, runtime.monotonic, runtime.sleep)
            sender = Sender(sqs, target.url, journal, pace, tally)
            _send_all(read_saved(path), choice, sender, stopped, lambda: report(tally.sent, order.limit or 0))
            interrupted = stopped()
    finally:
        print_tally(tally, "Sent", target.name, journal)
    if interrupted:
        click.echo("Interrupted. Run the same command again to go on.", err=True)
        raise KeyboardInterrupt
    if tally.refused:
        raise IncompleteError(
            f"Some of {visible(str(path))} were not sent. Run the same command again: it goes on from there."
        )
    if not tally.sent and not tally.resumed:
        raise NothingFoundError(f"Nothing to send of {visible(str(path))}: see `recs dlq restore` without --yes.")


def _send_all(
    letters: Iterator[DeadLetter],
    choice: Choice,
    sender: Sender,
    stopped: Callable[[], bool],
    report: Callable[[], None],
) -> None:
    while not stopped() and (some := list(islice(letters, sender.pace.most))):
        known = [letter for letter in some if letter.message_id in sender.journal.sent]
        sender.tally.resumed += len(known)
        chosen = [letter for letter in some if letter not in known and choice.takes(letter)]
        for batch in replay_batches(chosen):
            if stopped():
                return
            sender.tally.sent += len(sender.send(batch))
            report()
