"""Failures of SQS calls on dead letters, each as one sentence with its remedy."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

import click

from recommendation_cli.aws.errors import ExitCode, code_and_message, explained_calls
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, error_code, is_throttling

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# MiniStack's response, and that of AWS's JSON protocol, to an operation that a service does not have.
_UNKNOWN_ACTIONS: Final = {"InvalidAction", "UnknownOperationException"}


class IncompleteError(click.ClickException):
    """Some dead letters are still where they were; the message says which, and what to do."""

    exit_code = ExitCode.INCOMPLETE


def explained_queue(target: QueueTarget) -> AbstractContextManager[None]:
    """Turn errors of SQS calls into click's errors, each with its remedy; see `explained_calls`."""
    return explained_calls(target, "SQS", _refused)


def is_unknown_action(error: "ClientError") -> bool:
    """Return whether the service has no such operation, as emulators of SQS have no move tasks."""
    return error_code(error) in _UNKNOWN_ACTIONS


def _refused(error: "ClientError", target: QueueTarget) -> str:
    code, message = code_and_message(error)
    if code in MISSING_RESOURCE:
        return f"There is no {target}: check {target.option}, --region, --profile and --endpoint-url."
    if code in ACCESS_DENIED:
        return f"Access to the {target} is denied: use an identity that may assume {target.role}. SQS says: {message}"
    if is_throttling(error):
        return f"The {target} is throttling calls: try again in a moment, or more slowly (--rate)."
    if code.startswith("Kms"):
        return f"The {target}'s KMS key cannot be used ({visible(code)}): check the key's policy. {message}"
    match code:
        case "InvalidAddress":
            return f"The {target} is in another region or account than was called: check {target.option} and --region."
        case "InvalidSecurity":
            return f"SQS accepts only secure calls for the {target}: use an https --endpoint-url. SQS says: {message}"
        case "UnsupportedOperation":
            return (
                f"SQS cannot move the {target}'s messages itself: add a filter or --limit to move them one by one."
                f" SQS says: {message}"
            )
        case "OverLimit":
            return f"Too many messages of the {target} are in flight: wait until other readers have returned theirs."
        case _:
            return f"SQS refused the call on the {target} ({visible(code)}): {message}"
