"""`recs dlq redrive`: looks first, then says what would be done, or does it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import click

from recommendation_cli.aws.errors import AwsError
from recommendation_cli.aws.queues import QueueTarget, Sqs
from recommendation_cli.dead_letters.errors import explained_queue
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.receiving import Depth, Held, hold_seconds, holding, read_depth
from recommendation_cli.dead_letters.redrive.dry_run import Outlook, print_outlook
from recommendation_cli.dead_letters.redrive.journal import Journal, default_path, open_journal
from recommendation_cli.dead_letters.redrive.move_task import ACTIVE, list_tasks, move_all
from recommendation_cli.dead_letters.redrive.one_by_one import Redrive
from recommendation_cli.dead_letters.redrive.sending import Pace, Sender
from recommendation_cli.dead_letters.redrive.summary import conclude, print_tally, report_task
from recommendation_cli.dead_letters.redrive.tally import Choice, Tally
from recommendation_cli.dead_letters.selection import Guard, Selection
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.interrupt import deferred_interrupt
from recommendation_cli.screen.progress import count_progress
from recommendation_cli.screen.visible import visible
from recommendation_shared import limits
from recommendation_shared.envelope.identity import EPOCH, sort_key

_SURVEYED: Final = 1000  # dead letters that are looked at before anything is decided


class Order(NamedTuple):
    """What to send again, and how."""

    selection: Selection
    yes: bool
    include_poison: bool
    limit: int | None
    rate: int | None
    journal: Path | None
    hold: int | None = None  # seconds

    @property
    def guard(self) -> Guard:
        """What holds back poison."""
        return Guard(self.selection, self.include_poison)


class _Queues(NamedTuple):
    sqs: Sqs
    source: QueueTarget
    destination: QueueTarget
    depth: Depth
    destination_arn: str
    has_tasks: bool


def redrive_letters(runtime: Runtime, options: QueueOptions, order: Order) -> None:
    """Say what a redrive would do, or with `order.yes` do it and say what was done."""
    queues = _open(runtime, options.dead_letters(runtime), options.destination(runtime))
    whole = order.selection.is_whole and order.limit is None
    if not order.yes:
        outlook = _look(runtime, queues, order)
        print_outlook(runtime, outlook, queues.depth, order.limit, by_sqs=_moves_whole(queues, order, outlook))
        return
    path = order.journal or default_path(runtime.environ, "redrive", queues.source.name, queues.source.url)
    at = sort_key(EPOCH + timedelta(seconds=runtime.now()))
    with open_journal(path, queues.source.url, queues.destination.url, at) as journal:
        # What an interrupted run has sent is only deleted, which SQS's own task would not know.
        may_be_whole = whole and queues.has_tasks and not journal.unfinished
        if may_be_whole and _moves_whole(queues, order, _look(runtime, queues, order)):
            _move_whole(runtime, queues, order.rate)
        else:
            _move_messages(runtime, queues, order, journal)


def _open(runtime: Runtime, source: QueueTarget, destination: QueueTarget) -> _Queues:
    with explained_queue(source):
        sqs = runtime.connect_queues(source)
        depth = read_depth(sqs, source.url)
        tasks = list_tasks(sqs, depth.arn)
    with explained_queue(destination):
        back = read_depth(sqs, destination.url)
    if _dead_letter_arn(back) != depth.arn:
        raise click.UsageError(
            f"The {destination} does not send its dead letters to {visible(source.name)}: check --queue-url and"
            " --dlq-url."
        )
    if any(task.status in ACTIVE for task in tasks or []):
        raise AwsError(
            f"A move task of the {source} is running already: `recs dlq status` shows how far it is. Try again when it"
            " has ended."
        )
    return _Queues(sqs, source, destination, depth, back.arn, tasks is not None)


def _dead_letter_arn(queue: Depth) -> str:
    policy = json.loads(queue.redrives_to) if queue.redrives_to else {}
    return str(policy.get("deadLetterTargetArn", ""))


def _look(runtime: Runtime, queues: _Queues, order: Order) -> Outlook:
    outlook = Outlook(queues.source.name, queues.destination.name)
    held = Held(queues.sqs, queues.source.url, order.hold or hold_seconds(_SURVEYED), runtime.monotonic)
    with explained_queue(queues.source), holding(held):
        for letters in held.receive(lambda: min(limits.SQS_BATCH_ENTRIES, _SURVEYED - held.looked_at)):
            outlook.add(letters, order.guard)
    return outlook


def _moves_whole(queues: _Queues, order: Order, outlook: Outlook) -> bool:
    """Tell whether SQS moves the queue by itself: it knows no filter, no limit, and would not leave the poison."""
    return queues.has_tasks and order.selection.is_whole and order.limit is None and not outlook.poison.total


def _move_whole(runtime: Runtime, queues: _Queues, rate: int | None) -> None:
    with explained_queue(queues.source), count_progress(runtime.environ, "moved", runtime.monotonic) as report:
        task, interrupted = move_all(
            queues.sqs,
            (queues.depth.arn, queues.destination_arn),
            rate,
            runtime.sleep,
            lambda task: report(task.moved, task.total or queues.depth.visible),
        )
    report_task(task, queues.source, queues.destination.name, interrupted=interrupted)


def _move_messages(runtime: Runtime, queues: _Queues, order: Order, journal: Journal) -> None:
    hold = order.hold or hold_seconds(queues.depth.visible, order.rate)
    held = Held(queues.sqs, queues.source.url, hold, runtime.monotonic)
    tally = Tally()
    pace = Pace(order.rate, runtime.monotonic, runtime.sleep)
    sender = Sender(queues.sqs, queues.destination.url, journal, pace, tally)
    redrive = Redrive(held, Choice(order.guard, order.limit, tally), sender)
    total = min(order.limit or queues.depth.visible, queues.depth.visible)
    interrupted = False
    try:
        with (
            explained_queue(queues.source),
            deferred_interrupt() as stopped,
            holding(held),
            count_progress(runtime.environ, "redriven", runtime.monotonic) as report,
        ):
            redrive.run(stopped, lambda done: report(done, total))
            interrupted = stopped()
    finally:
        print_tally(tally, "Redriven", queues.destination.name, journal)
    if interrupted:
        click.echo("Interrupted. The rest is where it was: run the same command again to go on.", err=True)
        raise KeyboardInterrupt
    if redrive.saw_everything and not queues.depth.in_flight:
        # Sent by an earlier run, and not met although nothing was hidden: it had deleted them before it was ended.
        journal.deleted(set(journal.unfinished))
    conclude(tally, held, queues.source, queues.depth, journal)
