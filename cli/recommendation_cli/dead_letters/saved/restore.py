"""`recs dlq restore`: sends the dead letters of a saved file to the queue again, which undoes a purge."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import IncompleteError
from recommendation_cli.dead_letters.letter import DeadLetter, replay_batches
from recommendation_cli.dead_letters.options import QueueOptions, ReplayOptions
from recommendation_cli.dead_letters.replay.counts import print_counts
from recommendation_cli.dead_letters.replay.forecast import Forecast, most_sent, print_dry_run, print_forecast
from recommendation_cli.dead_letters.replay.journal import default_path, open_journal, sent_before
from recommendation_cli.dead_letters.replay.pace import Pace
from recommendation_cli.dead_letters.replay.replay import Replay
from recommendation_cli.dead_letters.saved.file import file_digest, read_saved
from recommendation_cli.dead_letters.selection import Fate, Selection
from recommendation_cli.dead_letters.session import QueueSession
from recommendation_cli.dead_letters.source import dead_letter_arn
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.interrupt import deferred_interrupt
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_shared.wording import plural


def restore_letters(  # noqa: PLR0913 - one for each group of options
    runtime: Runtime, queues: QueueOptions, selection: Selection, options: ReplayOptions, path: Path, *, yes: bool
) -> None:
    """Print what would be sent, or with `yes` send it and print what was sent."""
    target = queues.destination(runtime)
    source = f"sha256:{file_digest(path)}"
    journal_path = options.journal or default_path(runtime.environ, "restore", target.name, f"{source} {target.url}")
    before = sent_before(journal_path, source, target.url)
    forecast = Forecast(options.triage(selection))
    # Reads the whole file before anything is sent.
    forecast.add(letter for letter in read_saved(path) if letter.message_id not in before)
    if not yes:
        if forecast.total:
            title = f"{visible(str(path))}: {plural(forecast.total, 'dead letter')} not sent yet."
            print_forecast(open_terminal(runtime.environ), forecast, title, target.name, runtime.now())
        _end_dry_run(visible(str(path)), forecast, options.limit, len(before))
        return
    total = forecast.count(Fate.SEND)
    limit = min(options.limit or total, total)
    session = _open_destination(runtime, target)
    with open_journal(journal_path, source, target.url, runtime.now()) as journal:
        pace = Pace(options.rate, runtime.monotonic, runtime.sleep)
        replay = Replay(session.sqs, target.url, journal, pace, forecast.triage, limit)
        _send(session, path, replay, limit)


def _open_destination(runtime: Runtime, target: QueueTarget) -> QueueSession:
    """Connect to the queue; raise a usage error for one without dead letters, as a dead-letter queue itself is."""
    session = QueueSession.open(runtime, target)  # fails here when there is no such queue
    if not dead_letter_arn(session.depth):
        known = visible(runtime.environ.get("RECOMMENDATIONS_DLQ_URL", "").rpartition("/")[2])
        raise click.UsageError(
            f"{session.name} sends its dead letters to no queue, so it is not the queue that the consumer reads: check"
            f" --queue-url{f' (the dead-letter queue is {known})' if known else ''}. Nothing was sent."
        )
    return session


def _end_dry_run(file: str, forecast: Forecast, limit: int | None, before: int) -> None:
    if before:
        click.echo(
            f"\n{plural(before, 'dead letter')} already sent by an earlier run will not be sent again.", err=True
        )
    if not forecast.count(Fate.SEND):
        raise NothingFoundError(_nothing(file, forecast))
    print_dry_run(f"{most_sent(forecast, limit)} would be sent")


def _nothing(file: str, forecast: Forecast) -> str:
    if forecast.count(Fate.LEAVE_POISON):
        return (
            f"Only poison in {file} could be sent: fix the cause first, then name its --reason or pass"
            " --include-poison."
        )
    which = " that match the filters" if forecast.total else ""
    return f"{file} holds no unsent dead letters{which}."


def _send(session: QueueSession, path: Path, replay: Replay, total: int) -> None:
    counts = replay.counts
    try:
        with (
            session.explained(),
            deferred_interrupt() as is_interrupted,
            session.progress("sent") as report,
        ):
            _send_all(read_saved(path), replay, is_interrupted, lambda: report(counts.sent, total))
            interrupted = is_interrupted()
    finally:
        print_counts(counts, "Sent", session.target.name, replay.journal)
    if interrupted:
        click.echo("Interrupted. Run the same command again to continue.", err=True)
        raise KeyboardInterrupt
    if counts.refused:
        raise IncompleteError(
            f"Some dead letters in {visible(str(path))} were not sent. Run the same command again to continue."
        )
    if not counts.sent and not counts.resumed:
        raise NothingFoundError(f"Nothing to send from {visible(str(path))}: see `recs dlq restore` without --yes.")


def _send_all(
    letters: Iterator[DeadLetter], replay: Replay, is_interrupted: Callable[[], bool], report: Callable[[], None]
) -> None:
    while not is_interrupted() and (group := list(islice(letters, replay.pace.batch_size))):
        replay.counts.resumed += len(replay.sent_earlier(group))
        for batch in replay_batches(replay.choose(group)):
            if is_interrupted():
                return
            replay.counts.sent += len(replay.send(batch))
            report()
