"""`recs dlq status`: how many dead letters there are, how old, why, and whether SQS is moving them."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from recommendation_cli.dead_letters.letter import POISON_OUTCOMES
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.reason_table import ReasonRow, print_reasons
from recommendation_cli.dead_letters.redrive.move_task import MoveTask, list_tasks
from recommendation_cli.dead_letters.selection import Survey
from recommendation_cli.dead_letters.session import QueueSession
from recommendation_cli.dead_letters.source import open_dead_letters
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.table import print_fields
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age, times


def show_status(runtime: Runtime, options: QueueOptions, sample: int, output: str) -> None:
    """Print the number of dead letters, and the ages and reasons of up to `sample` of them."""
    session = open_dead_letters(runtime, options)
    with session.explained():
        tasks = list_tasks(session.sqs, session.depth.arn)
    survey = Survey()
    with session.hold(expected=sample) as held:
        for letters in held.receive(lambda: sample - survey.total):
            survey.add(letters)
    if output == "table":
        _print(session, survey, tasks)
        return
    document = _document(session, survey, tasks)
    if output == "json":  # an object, not a list: there is only one queue
        sys.stdout.buffer.write(f"{pretty_json(document)}\n".encode())
    else:
        write_records(sys.stdout.buffer, [document], output)


def _print(session: QueueSession, survey: Survey, tasks: list[MoveTask] | None) -> None:
    console, now, depth = open_terminal(session.runtime.environ), session.runtime.now(), session.depth
    in_flight = f", {depth.in_flight:,} in flight (hidden by another reader)" if depth.in_flight else ""
    fields = [("messages", f"about {depth.visible:,}{in_flight}")]
    if survey.total:
        oldest = now - min(survey.oldest.values())
        fields.append(("oldest", f"{age(oldest)}; SQS deletes it in {age(depth.retention - oldest)}"))
    fields += [("move task", line) for line in _task_lines(tasks, now)]
    console.print(f"Dead-letter queue {session.name}", style="bold", soft_wrap=not console.is_terminal)
    print_fields(console, fields, indent=2, label_width=len("move task") + 1)
    if not survey.total:
        return
    console.print()
    rows = [
        ReasonRow(reason, count, survey.oldest[reason], POISON_OUTCOMES.get(reason, ""))
        for reason, count in survey.counts.most_common()
    ]
    print_reasons(console, rows, now, "if redriven")
    if survey.replayed:
        console.print(
            f"\n{survey.replayed:,} redriven before, at most {times(survey.most_replays)}.",
            soft_wrap=not console.is_terminal,
        )
    sys.stdout.flush()
    if survey.total < depth.visible:
        click.echo(
            f"\nAges and reasons are from a sample of {survey.total:,} of about {depth.visible:,}"
            " (--sample inspects more).",
            err=True,
        )


def _task_lines(tasks: list[MoveTask] | None, now: float) -> Iterator[str]:
    if tasks is None:
        yield "unknown (this SQS has no move tasks)"
        return
    active = [task for task in tasks if task.is_active]
    for task in active or tasks[:1]:
        moved = f"{task.moved:,} of about {task.total:,}" if task.total else f"{task.moved:,}"
        destination = visible(task.destination.rpartition(":")[2]) or "their source queues"
        reason = f" ({visible(task.reason)})" if task.reason else ""
        yield f"{visible(task.status)}{reason}: {moved} moved to {destination}, started {age(now - task.started)} ago"
    if not tasks:
        yield "none"


def _document(session: QueueSession, survey: Survey, tasks: list[MoveTask] | None) -> dict[str, Any]:
    now, depth = session.runtime.now(), session.depth
    return {
        "queue": session.target.name,
        "messages": depth.visible,
        "inFlight": depth.in_flight,
        "retentionSeconds": depth.retention,
        "sampled": survey.total,
        "oldestSeconds": int(now - min(survey.oldest.values())) if survey.oldest else None,
        "reasons": {
            reason: {
                "messages": count,
                "oldestSeconds": int(now - survey.oldest[reason]),
                "poison": reason in POISON_OUTCOMES,
            }
            for reason, count in survey.counts.items()
        },
        "moveTasks": None if tasks is None else [_task_document(task) for task in tasks],
    }


def _task_document(task: MoveTask) -> dict[str, Any]:
    return {
        "status": task.status,
        "moved": task.moved,
        "total": task.total,
        "failureReason": task.reason or None,
        "destination": task.destination or None,
        "active": task.is_active,
    }
