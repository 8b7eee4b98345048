"""Redriving a whole queue with SQS's own message move task, which is watched until it ends."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import click

from recommendation_cli.aws.queues import Sqs
from recommendation_cli.dead_letters.errors import IncompleteError, is_unknown_action
from recommendation_cli.dead_letters.session import QueueSession
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import MISSING_RESOURCE, error_code
from recommendation_shared.wording import plural

_ACTIVE: Final = ("RUNNING", "CANCELLING")
_LISTED: Final = 10  # the most that one call returns
_POLL_SECONDS: Final = 1.0


class MoveTask(NamedTuple):
    """A message move task. `moved` and `total` are approximate; `total` is 0 until SQS has counted."""

    status: str
    moved: int = 0
    total: int = 0
    reason: str = ""  # why it failed
    handle: str = ""  # cancels it; SQS returns it only for running tasks
    destination: str = ""  # an ARN
    started: float = 0  # epoch seconds

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "MoveTask":
        """Read an entry of a ListMessageMoveTasks response."""
        return cls(
            str(entry.get("Status", "")),
            int(entry.get("ApproximateNumberOfMessagesMoved") or 0),
            int(entry.get("ApproximateNumberOfMessagesToMove") or 0),
            str(entry.get("FailureReason") or ""),
            str(entry.get("TaskHandle") or ""),
            str(entry.get("DestinationArn") or ""),
            float(entry.get("StartedTimestamp") or 0) / 1000,
        )

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in _ACTIVE


def list_tasks(sqs: Sqs, source_arn: str) -> list[MoveTask] | None:
    """Return a queue's latest move tasks, newest first; None when this SQS has no move tasks."""
    from botocore.exceptions import ClientError

    try:
        response = sqs.list_message_move_tasks(SourceArn=source_arn, MaxResults=_LISTED)
    except ClientError as error:
        if is_unknown_action(error):
            return None
        raise
    return [MoveTask.of(entry) for entry in response.get("Results", [])]


def move_whole_queue(session: QueueSession, destination_arn: str, destination: str, rate: int | None) -> None:
    """Let SQS move everything, print how it ended, and raise `IncompleteError` unless it moved everything.

    Ctrl-C cancels the task. SQS does not do that at once, so it is still watched; a second Ctrl-C stops watching.
    """
    arns = (session.depth.arn, destination_arn)
    with session.explained(), session.progress("moved") as report:
        task, interrupted = _move(
            session.sqs,
            arns,
            rate,
            session.runtime.sleep,
            lambda task: report(task.moved, task.total or session.depth.visible),
        )
    _print_end(task, session.name, destination, interrupted=interrupted)
    depth = session.depth
    if depth.in_flight and task.moved < depth.visible + depth.in_flight:
        raise IncompleteError(
            f"{plural(depth.in_flight, 'message')} in flight, hidden by another reader when the move began, may still"
            f" be in {session.name}: run this again when they are visible. `recs dlq status` counts them."
        )


def _move(
    sqs: Sqs,
    arns: tuple[str, str],
    rate: int | None,
    sleep: Callable[[float], None],
    report: Callable[[MoveTask], None],
) -> tuple[MoveTask, bool]:
    source, destination = arns
    limit = {} if rate is None else {"MaxNumberOfMessagesPerSecond": rate}
    earlier = {task.started for task in list_tasks(sqs, source) or []}

    def watch() -> MoveTask:
        while True:
            # A task that has just been started may not be listed yet.
            task = next((task for task in list_tasks(sqs, source) or [] if task.started not in earlier), None)
            if task is not None:
                report(task)
                if not task.is_active:
                    return task
            sleep(_POLL_SECONDS)

    try:
        # Without a destination, SQS refuses messages that did not come through the redrive policy.
        sqs.start_message_move_task(SourceArn=source, DestinationArn=destination, **limit)
        return watch(), False
    except KeyboardInterrupt:
        click.echo("Cancelling the move, which takes SQS a moment.", err=True)
        _cancel(sqs, source)
        return watch(), True


def _cancel(sqs: Sqs, source: str) -> None:
    from botocore.exceptions import ClientError

    for task in list_tasks(sqs, source) or []:
        if task.status == "RUNNING":
            try:
                sqs.cancel_message_move_task(TaskHandle=task.handle)
            except ClientError as error:
                if error_code(error) not in MISSING_RESOURCE:  # it has ended since, as watching it shows
                    raise


def _print_end(task: MoveTask, source: str, destination: str, *, interrupted: bool) -> None:
    moved = f"SQS moved about {plural(task.moved, 'dead letter')} to {visible(destination)}"
    rest = f"The rest is still in {source}"
    match task.status:
        case "COMPLETED":
            click.echo(f"{moved}.")
        case "FAILED":
            reason = visible(task.reason) or "SQS gives no reason"
            raise IncompleteError(
                f"{moved}, then the move failed ({reason}). {rest}: fix the cause and run this again."
            )
        case _:
            cancelled = f"{moved}, then the move was cancelled. {rest}: run the same command again to continue."
            if interrupted:
                click.echo(cancelled, err=True)
                raise KeyboardInterrupt
            raise IncompleteError(cancelled)
