"""Failures of commands that write to the table, each as one sentence with its remedy."""

from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.errors import ExitCode, code_and_message, explained_calls
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, is_throttling

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class LeftError(click.ClickException):
    """Something is left to do; the message says what, and that the same command goes on."""

    exit_code = ExitCode.LEFT


def explained_writes(target: Target, role: str) -> AbstractContextManager[None]:
    """Turn errors of reading and writing a table into click's errors, each with its remedy; see `explained_calls`.

    `role` is the one that may do what the command does.
    """
    return explained_calls(target, "DynamoDB", partial(_refused, role))


def _refused(role: str, error: "ClientError", target: Target) -> str:
    code, message = code_and_message(error)
    if code in ACCESS_DENIED:
        return f"Access to {target} is denied: use an identity that may assume {role}. DynamoDB says: {message}"
    if is_throttling(error):
        return f"The {target} is throttling calls: run the same command again in a moment, which goes on."
    if code in MISSING_RESOURCE:
        return f"There is no {target}: check --table, --region, --profile and --endpoint-url."
    return f"DynamoDB refused the call on {target} ({visible(code)}): {message}"
