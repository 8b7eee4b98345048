"""`recs dlq redrive`: print a dry run, let SQS move the whole queue, or redrive message by message."""

from typing import Final, NamedTuple

import click

from recommendation_cli.aws.errors import AwsError
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import explained_queue
from recommendation_cli.dead_letters.options import QueueOptions, ReplayOptions
from recommendation_cli.dead_letters.redrive.dry_run import print_redrive_forecast
from recommendation_cli.dead_letters.redrive.message_by_message import redrive_messages
from recommendation_cli.dead_letters.redrive.move_task import list_tasks, move_whole_queue
from recommendation_cli.dead_letters.replay.forecast import Forecast
from recommendation_cli.dead_letters.replay.journal import default_path, open_journal
from recommendation_cli.dead_letters.replay.pace import Pace
from recommendation_cli.dead_letters.replay.replay import Replay
from recommendation_cli.dead_letters.selection import Fate, Selection, Triage
from recommendation_cli.dead_letters.session import QueueSession
from recommendation_cli.dead_letters.source import dead_letter_arn, open_dead_letters
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

_INSPECTED: Final = 1000  # dead letters to inspect before deciding


def redrive_letters(  # noqa: PLR0913 - one for each group of options
    runtime: Runtime,
    queues: QueueOptions,
    selection: Selection,
    options: ReplayOptions,
    *,
    yes: bool,
    hold: int | None,
) -> None:
    """Print what a redrive would do, or with `yes` do it and print what was done."""
    link = _open(runtime, queues)
    session, destination = link.session, link.destination
    triage = options.triage(selection)
    # SQS's move task knows neither filters nor a limit.
    may_use_task = link.has_tasks and selection.is_everything and options.limit is None
    if not yes:
        forecast = _inspect(session, triage, hold)
        by_sqs = may_use_task and not forecast.count(Fate.LEAVE_POISON)
        print_redrive_forecast(session, forecast, destination.name, options.limit, by_sqs=by_sqs)
        return
    source = session.target
    path = options.journal or default_path(runtime.environ, "redrive", source.name, source.url)
    with open_journal(path, source.url, destination.url, runtime.now()) as journal:
        # A move task would send again what an interrupted run has sent but not deleted, and would not leave poison.
        may_use_task = may_use_task and not journal.unfinished
        if may_use_task and not _inspect(session, triage, hold).count(Fate.LEAVE_POISON):
            move_whole_queue(session, link.destination_arn, destination.name, options.rate)
        else:
            pace = Pace(options.rate, runtime.monotonic, runtime.sleep)
            replay = Replay(session.sqs, destination.url, journal, pace, triage, options.limit)
            redrive_messages(session, replay, destination.name, hold)


class _Link(NamedTuple):
    """The dead-letter queue and the queue that it belongs to."""

    session: QueueSession
    destination: QueueTarget
    destination_arn: str
    has_tasks: bool


def _open(runtime: Runtime, queues: QueueOptions) -> _Link:
    queues.dead_letters(runtime)  # ask for it first where neither queue is named
    destination = queues.destination(runtime)
    session = open_dead_letters(runtime, queues)
    with session.explained():
        tasks = list_tasks(session.sqs, session.depth.arn)
    with explained_queue(destination):
        destination_depth = session.read_depth(destination.url)
    if dead_letter_arn(destination_depth) != session.depth.arn:
        raise click.UsageError(
            f"The {destination} does not send its dead letters to {session.name}: check --queue-url and --dlq-url."
        )
    if any(task.is_active for task in tasks or []):
        raise AwsError(
            f"A move task of the {session.target} is already running: `recs dlq status` shows its progress. Try again"
            " when it has ended."
        )
    return _Link(session, destination, destination_depth.arn, tasks is not None)


def _inspect(session: QueueSession, triage: Triage, hold: int | None) -> Forecast:
    forecast = Forecast(triage)
    with session.hold(hold, expected=_INSPECTED) as held:
        for letters in held.receive(lambda: min(limits.SQS_BATCH_ENTRIES, _INSPECTED - held.received)):
            forecast.add(letters)
    return forecast
