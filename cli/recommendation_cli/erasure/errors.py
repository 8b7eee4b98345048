"""Failures of an erasure, each as one sentence with its remedy."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.errors import ExitCode, credentials_refused, explained_calls
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, error_code, is_throttling

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

ROLE: Final = "RecommendationEraserRole"


class LeftError(click.ClickException):
    """Something of the incident is left; the message says what, and what to do."""

    exit_code = ExitCode.LEFT


def explained_table(target: Target) -> AbstractContextManager[None]:
    """Turn errors of reading and writing a table into click's errors, each with its remedy; see `explained_calls`."""
    return explained_calls(target, "DynamoDB", _refused)


def _refused(error: "ClientError", target: Target) -> str:
    code, message = error_code(error), visible(str(error.response.get("Error", {}).get("Message", "")))
    if (credentials := credentials_refused(code)) is not None:
        return credentials
    if code in ACCESS_DENIED:
        return f"Access to {target} is denied: use an identity that may assume {ROLE}. DynamoDB says: {message}"
    if is_throttling(error):
        return f"The {target} is throttling calls: run the same command again in a moment, which goes on."
    if code in MISSING_RESOURCE:
        return f"There is no {target}: check --table, --region, --profile and --endpoint-url."
    return f"DynamoDB refused the call on {target} ({visible(code)}): {message}"
