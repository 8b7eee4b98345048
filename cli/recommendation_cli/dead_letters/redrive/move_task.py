"""Redriving a whole queue: SQS moves the messages by itself, and is watched until it has ended."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import click

from recommendation_cli.aws.queues import Sqs
from recommendation_cli.dead_letters.errors import error_code, is_unknown_action

ACTIVE: Final = ("RUNNING", "CANCELLING")
_LISTED: Final = 10  # the most that one call may ask for
_POLL_SECONDS: Final = 1.0


class Task(NamedTuple):
    """A move task. `moved` and `total` are SQS's approximations; `total` is 0 until the task has counted."""

    status: str
    moved: int = 0
    total: int = 0
    reason: str = ""  # why it failed
    handle: str = ""  # what cancels it; SQS gives it for running tasks only
    destination: str = ""  # an ARN
    started: float = 0  # epoch seconds

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Task":
        """Read an entry of ListMessageMoveTasks' answer."""
        return cls(
            str(found.get("Status", "")),
            int(found.get("ApproximateNumberOfMessagesMoved") or 0),
            int(found.get("ApproximateNumberOfMessagesToMove") or 0),
            str(found.get("FailureReason") or ""),
            str(found.get("TaskHandle") or ""),
            str(found.get("DestinationArn") or ""),
            float(found.get("StartedTimestamp") or 0) / 1000,
        )


def list_tasks(sqs: Sqs, source_arn: str) -> list[Task] | None:
    """Return a queue's last move tasks, newest first; None when this SQS has no such thing."""
    from botocore.exceptions import ClientError

    try:
        answer = sqs.list_message_move_tasks(SourceArn=source_arn, MaxResults=_LISTED)
    except ClientError as error:
        if is_unknown_action(error):
            return None
        raise
    return [Task.of(found) for found in answer.get("Results", [])]


def move_all(
    sqs: Sqs,
    arns: tuple[str, str],
    rate: int | None,
    sleep: Callable[[float], None],
    report: Callable[[Task], None],
) -> tuple[Task, bool]:
    """Let SQS move everything from the first queue of `arns` to the second.

    Return the task once it has ended, and whether Ctrl-C was pressed. That cancels the task, which SQS does not do at
    once, so it is still watched; a second Ctrl-C leaves it to itself.
    """
    source, destination = arns
    limit = {} if rate is None else {"MaxNumberOfMessagesPerSecond": rate}
    earlier = {task.started for task in list_tasks(sqs, source) or []}

    def watch() -> Task:
        while True:
            # A task that has just been started may not be listed yet.
            found = next((task for task in list_tasks(sqs, source) or [] if task.started not in earlier), None)
            if found is not None:
                report(found)
                if found.status not in ACTIVE:
                    return found
            sleep(_POLL_SECONDS)

    try:
        # Without a destination SQS refuses messages that did not come through the redrive policy.
        sqs.start_message_move_task(SourceArn=source, DestinationArn=destination, **limit)
        return watch(), False
    except KeyboardInterrupt:
        click.echo("Cancelling the move, which SQS does not do at once.", err=True)
        _cancel(sqs, source)
        return watch(), True


def _cancel(sqs: Sqs, source: str) -> None:
    from botocore.exceptions import ClientError

    for task in list_tasks(sqs, source) or []:
        if task.status == "RUNNING":
            try:
                sqs.cancel_message_move_task(TaskHandle=task.handle)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":  # it ended meanwhile, which watching shows
                    raise
