"""What a redrive did, in words, and how the program ends after it."""

import click

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.dead_letters.errors import IncompleteError
from recommendation_cli.dead_letters.letter import POISON
from recommendation_cli.dead_letters.receiving import Depth, Held
from recommendation_cli.dead_letters.redrive.journal import Journal
from recommendation_cli.dead_letters.redrive.move_task import Task
from recommendation_cli.dead_letters.redrive.tally import Tally
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import plural


def print_tally(tally: Tally, verb: str, destination: str, journal: Journal) -> None:
    """Print what was done so far, however the run ended; `verb` is a past participle."""
    lines = [f"{verb} {plural(tally.sent, 'dead letter')} to {visible(destination)}."]
    if tally.resumed:
        lines.append(f"  {tally.resumed} sent by an earlier run: not sent again")
    if tally.doubtful:
        lines.append(f"  {tally.doubtful} of them perhaps sent by an interrupted run too: stored once all the same")
    if tally.uncounted:
        lines.append(f"  {tally.uncounted} of them without a replay counter, for which they had no room")
    lines += [f"  {number} left, {visible(reason)}: {POISON[reason]}" for reason, number in tally.poison.most_common()]
    if tally.others:
        lines.append(f"  {tally.others} left by the filters")
    lines += [f"  {number} left, refused by the queue: {visible(code)}" for code, number in tally.refused.most_common()]
    if tally.undeleted:
        lines.append(f"  {tally.undeleted} sent, but not deleted yet")
    lines.append(f"Journal: {visible(str(journal.path))}")
    click.echo("\n".join(lines))


def conclude(tally: Tally, held: Held, source: QueueTarget, depth: Depth, journal: Journal) -> None:
    """Raise what tells that a run that was not interrupted did not do everything, or nothing at all."""
    again = "Run the same command again"
    if tally.undeleted or tally.refused:
        raise IncompleteError(f"Some dead letters are still in {visible(source.name)}. {again}: it goes on from there.")
    if journal.unfinished and depth.in_flight:
        unfinished = plural(len(journal.unfinished), "dead letter")
        raise IncompleteError(
            f"{unfinished} sent by an earlier run may still be hidden by it. {again} when its"
            f" hold has passed ({held.hold} seconds unless it was set): it deletes them."
        )
    if held.full:
        raise IncompleteError(f"No more may be hidden at a time than {held.looked_at}. {again} for the rest.")
    if not tally.sent and not tally.resumed:
        hidden = f" ({depth.in_flight} are in flight, hidden by another reader)" if depth.in_flight else ""
        raise NothingFoundError(f"Nothing to redrive in the {source}{hidden}: see `recs dlq redrive` without --yes.")


def report_task(task: Task, source: QueueTarget, destination: str, *, interrupted: bool) -> None:
    """Print how SQS's own move ended; raise `IncompleteError`, or what Ctrl-C raises, unless it moved everything."""
    moved = f"SQS moved about {plural(task.moved, 'dead letter')} to {visible(destination)}"
    match task.status:
        case "COMPLETED":
            click.echo(f"{moved}.")
        case "FAILED":
            raise IncompleteError(
                f"{moved}, then the move failed: {visible(task.reason) or 'without a reason'}. The rest is still in"
                f" {visible(source.name)}: mend that, and run the same command again."
            )
        case _:
            cancelled = (
                f"{moved}, then the move was cancelled. The rest is still in {visible(source.name)}: run the same"
                " command again to go on."
            )
            if interrupted:
                click.echo(cancelled, err=True)
                raise KeyboardInterrupt
            raise IncompleteError(cancelled)
