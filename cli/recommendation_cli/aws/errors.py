"""Failures of reading the table, each as one sentence with its remedy, and the exit codes of `recs`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

import click

from recommendation_cli.aws.connection import EndpointError, Location, NotDynamoDbError, Target
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import (
    ACCESS_DENIED,
    EXPIRED_CREDENTIALS,
    MISSING_RESOURCE,
    REFUSED_CREDENTIALS,
    error_code,
    is_throttling,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

L = TypeVar("L", bound=Location)


class ExitCode(IntEnum):
    """The exit codes of `recs` besides 0 and click's 2 (usage error)."""

    NOTHING_FOUND = 1
    AWS = 3
    DIGEST_MISMATCH = 4
    LEFT = 4  # of commands on whole incidents: something is left to do; running them again continues
    INCOMPLETE = 5
    INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
    BROKEN_PIPE = 141  # 128 + SIGPIPE


class AwsError(click.ClickException):
    """AWS refused the call or could not be reached; the message says what to do."""

    exit_code = ExitCode.AWS


class NothingFoundError(click.ClickException):
    """There is nothing to show or to do."""

    exit_code = ExitCode.NOTHING_FOUND


class NothingToCompareError(click.ClickException):
    """One side of a comparison is missing; exit code 2, as diff uses 1 for a difference."""

    exit_code = click.UsageError.exit_code


class DigestMismatchError(click.ClickException):
    """An item's content differs from what the consumer wrote."""

    exit_code = ExitCode.DIGEST_MISMATCH


@contextmanager
def explained_calls(target: L, service: str, refused: Callable[["ClientError", L], str]) -> Iterator[None]:
    """Turn botocore's errors into `AwsError`, or into a usage error where the user's input is at fault.

    `refused` returns the sentence for an error response of `service`, such as `SQS`. It is not asked where the caller's
    credentials are at fault.
    """
    from botocore import exceptions as aws
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (aws.ParamValidationError, EndpointError) as error:
        raise click.UsageError(visible(" ".join(str(error).split()))) from None
    except aws.ClientError as error:
        raise AwsError(_credentials_refused(error_code(error)) or refused(error, target)) from None
    except aws.BotoCoreError as error:
        raise AwsError(unreachable(error, target)) from None
    except (ResponseParserError, NotDynamoDbError):
        raise AwsError(f"The response for the {target} is not from {service}: check --endpoint-url.") from None


def code_and_message(error: "ClientError") -> tuple[str, str]:
    """Return AWS's error code, and its message, which is safe to print."""
    return error_code(error), visible(str(error.response.get("Error", {}).get("Message", "")))


def explained(target: Target) -> AbstractContextManager[None]:
    """Turn errors of reading the table into click's errors, each with its remedy; see `explained_calls`."""
    return explained_calls(target, "DynamoDB", _refused)


def _refused(error: "ClientError", target: Target) -> str:
    code, message = code_and_message(error)
    if code in ACCESS_DENIED:
        return (
            f"Access to {target} is denied: use an identity that may Query, GetItem and BatchGetItem it, such as"
            f" one that may assume RecommendationReaderRole. DynamoDB says: {message}"
        )
    if is_throttling(error):
        return f"The {target} is throttling reads: try again in a moment, or read less (--limit, --since)."
    if code in MISSING_RESOURCE:
        return f"There is no {target}: check --table, --region, --profile and --endpoint-url."
    if code == "ValidationException" and "index" in message:
        return f"The {target} lacks an index that the stack defines: deploy the stack again. DynamoDB says: {message}"
    return f"DynamoDB refused the call on {target} ({visible(code)}): {message}"


def _credentials_refused(code: str) -> str | None:
    """Return what to do when an error code concerns the caller's credentials, else None."""
    if code in EXPIRED_CREDENTIALS:
        return "The AWS credentials have expired: sign in again (aws sso login), or choose another --profile."
    if code in REFUSED_CREDENTIALS:
        return f"AWS does not accept these credentials ({code}): check --profile, the AWS_* variables and the clock."
    return None


def unreachable(error: Exception, target: Location) -> str:
    """Return the sentence for an error that botocore raised without a response from AWS."""
    from botocore import exceptions as aws

    match error:
        case aws.NoCredentialsError() | aws.PartialCredentialsError() | aws.CredentialRetrievalError():
            return "No usable AWS credentials: sign in (aws sso login), choose a --profile, or set the AWS_* variables."
        case aws.SSOError() | aws.TokenRetrievalError():
            return f"The AWS sign-in is not valid: run aws sso login. AWS says: {visible(str(error))}"
        case aws.ProfileNotFound():
            name = visible(str(error.kwargs["profile"]))
            return f"There is no AWS profile {name!r}: aws configure list-profiles shows those that exist."
        case aws.NoRegionError():
            return "No AWS region is set: pass --region, or set AWS_REGION or the profile's region."
        case aws.HTTPClientError() | aws.ConnectionError():
            return f"No answer from the {target}: check --region, --endpoint-url and the network. {visible(str(error))}"
        case _:
            return f"AWS could not be called for the {target}: {visible(str(error))}"
