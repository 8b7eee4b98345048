"""`recs dlq status`."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from recommendation_cli.dead_letters.errors import explained_queue
from recommendation_cli.dead_letters.letter import POISON
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.reason_table import ReasonRow, print_reasons
from recommendation_cli.dead_letters.receiving import Depth, Held, hold_seconds, holding, read_depth
from recommendation_cli.dead_letters.redrive.move_task import ACTIVE, Task, list_tasks
from recommendation_cli.dead_letters.selection import Survey
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age, times


def show_status(runtime: Runtime, options: QueueOptions, sample: int, output: str) -> None:
    """Print how many dead letters there are, and the ages and reasons of up to `sample` of them."""
    target = options.dead_letters(runtime)
    with explained_queue(target):
        sqs = runtime.connect_queues(target)
        depth = read_depth(sqs, target.url)
        tasks = list_tasks(sqs, depth.arn)
        survey = Survey()
        with holding(Held(sqs, target.url, hold_seconds(sample), runtime.monotonic)) as held:
            for letters in held.receive(lambda: sample - survey.total):
                survey.add(letters)
    now = runtime.now()
    if output == "table":
        _print(runtime, target.name, depth, survey, tasks)
    else:
        document = _document(target.name, depth, survey, tasks, now)
        if output == "json":  # one object, as it is one queue
            sys.stdout.buffer.write(f"{pretty_json(document)}\n".encode())
        else:
            write_records(sys.stdout.buffer, [document], output)


def _print(runtime: Runtime, name: str, depth: Depth, survey: Survey, tasks: list[Task] | None) -> None:
    console, now = open_terminal(runtime.environ), runtime.now()
    flight = f", {depth.in_flight} in flight (hidden by another reader)" if depth.in_flight else ""
    lines = [("messages", f"about {depth.visible}{flight}")]
    if survey.total:
        oldest = now - min(survey.oldest.values())
        lines.append(("oldest", f"{age(oldest)}; SQS deletes it in {age(depth.retention - oldest)}"))
    lines += [("move task", line) for line in _task_lines(tasks, now)]
    console.print(f"Dead-letter queue {visible(name)}", style="bold", soft_wrap=not console.is_terminal)
    for label, value in lines:
        console.print(f"  {label:<10}  {value}", soft_wrap=not console.is_terminal)
    if not survey.total:
        return
    console.print()
    rows = [
        ReasonRow(reason, count, survey.oldest[reason], POISON.get(reason, ""))
        for reason, count in survey.counts.most_common()
    ]
    print_reasons(console, rows, now, "if redriven")
    if survey.replayed:
        console.print(
            f"\n{survey.replayed} redriven before, {times(survey.most_replays)} at most.",
            soft_wrap=not console.is_terminal,
        )
    sys.stdout.flush()
    if survey.total < depth.visible:
        click.echo(
            f"\nOldest and reasons: of a sample, {survey.total} of about {depth.visible} (--sample looks at more).",
            err=True,
        )


def _task_lines(tasks: list[Task] | None, now: float) -> Iterator[str]:
    if tasks is None:
        yield "unknown: this SQS has no move tasks"
        return
    active = [task for task in tasks if task.status in ACTIVE]
    for task in active or tasks[:1]:
        moved = f"{task.moved} of about {task.total}" if task.total else f"{task.moved}"
        to = visible(task.destination.rpartition(":")[2]) or "where they came from"
        why = f" ({visible(task.reason)})" if task.reason else ""
        yield f"{visible(task.status)}{why}: {moved} moved to {to}, started {age(now - task.started)} ago"
    if not tasks:
        yield "none"


def _document(name: str, depth: Depth, survey: Survey, tasks: list[Task] | None, now: float) -> dict[str, Any]:
    return {
        "queue": name,
        "messages": depth.visible,
        "inFlight": depth.in_flight,
        "retentionSeconds": depth.retention,
        "sampled": survey.total,
        "oldestSeconds": int(now - min(survey.oldest.values())) if survey.oldest else None,
        "reasons": {
            reason: {"messages": count, "oldestSeconds": int(now - survey.oldest[reason]), "poison": reason in POISON}
            for reason, count in survey.counts.items()
        },
        "moveTasks": None
        if tasks is None
        else [
            {
                "status": task.status,
                "moved": task.moved,
                "total": task.total,
                "failureReason": task.reason or None,
                "destination": task.destination or None,
                "active": task.status in ACTIVE,
            }
            for task in tasks
        ],
    }
