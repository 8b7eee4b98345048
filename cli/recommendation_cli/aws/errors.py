"""What can go wrong between a reader and the table, each as one sentence with its remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import click

from recommendation_cli.aws.connection import EndpointError, Location, NotDynamoDbError, Target
from recommendation_cli.screen.visible import visible


class ExitCode(IntEnum):
    """How `recs` ends; 2 (usage) is click's own."""

    NOTHING_FOUND = 1
    AWS = 3
    DIGEST_MISMATCH = 4
    INCOMPLETE = 5
    INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
    BROKEN_PIPE = 141  # 128 + SIGPIPE


class AwsError(click.ClickException):
    """AWS refused the call or could not be reached; the message says what to do."""

    exit_code = ExitCode.AWS


class NothingFoundError(click.ClickException):
    """There is no such recommendation, or none that may be shown."""

    exit_code = ExitCode.NOTHING_FOUND


class NothingToCompareError(click.ClickException):
    """One side of a comparison is missing: 2 as in diff, where 1 says that the sides differ."""

    exit_code = click.UsageError.exit_code


class DigestMismatchError(click.ClickException):
    """An item's content is not what the consumer wrote."""

    exit_code = ExitCode.DIGEST_MISMATCH


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Turn botocore's errors into `AwsError`, or into a usage error where the caller's input is at fault."""
    from botocore import exceptions as aws
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (aws.ParamValidationError, EndpointError) as error:
        raise click.UsageError(visible(" ".join(str(error).split()))) from None
    except aws.ClientError as error:
        raise AwsError(_refused(error.response.get("Error", {}), target)) from None
    except aws.BotoCoreError as error:
        raise AwsError(unreachable(error, target)) from None
    except (ResponseParserError, NotDynamoDbError):
        raise AwsError(f"What answers as the {target} is not DynamoDB: check --endpoint-url.") from None


def _refused(error: dict[str, Any], target: Target) -> str:
    code, message = str(error.get("Code", "unknown")), visible(str(error.get("Message", "")))
    credentials = credentials_refused(code)
    if credentials is not None:
        return credentials
    match code:
        case "ResourceNotFoundException":
            return f"There is no {target}: check --table, --region, --profile and --endpoint-url."
        case "AccessDeniedException":
            return (
                f"Access to {target} is denied: use an identity that may Query, GetItem and BatchGetItem it, such as"
                f" one that may assume RecommendationReaderRole. DynamoDB says: {message}"
            )
        case "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded":
            return f"The {target} is throttling reads: try again in a moment, or read less (--limit, --since)."
        case "ValidationException" if "index" in message:
            return (
                f"The {target} lacks an index that the stack gives it: deploy the stack anew. DynamoDB says: {message}"
            )
        case _:
            return f"DynamoDB refused the call on {target} ({visible(code)}): {message}"


def credentials_refused(code: str) -> str | None:
    """Return what to do when an error code is about the caller's credentials, else None."""
    match code:
        case "ExpiredTokenException" | "ExpiredToken":
            return "The AWS credentials have expired: sign in again (aws sso login), or choose another --profile."
        case "UnrecognizedClientException" | "InvalidSignatureException" | "InvalidClientTokenId":
            return (
                f"AWS does not accept these credentials ({code}): check --profile, the AWS_* variables and the clock."
            )
        case _:
            return None


def unreachable(error: Exception, target: Location) -> str:
    """Return the sentence for an error of botocore's own; `target` prints as what was called."""
    from botocore import exceptions as aws

    match error:
        case aws.NoCredentialsError() | aws.PartialCredentialsError() | aws.CredentialRetrievalError():
            return "No usable AWS credentials: sign in (aws sso login), choose a --profile, or set the AWS_* variables."
        case aws.SSOError() | aws.TokenRetrievalError():
            return f"The AWS sign-in is not valid: run aws sso login. AWS says: {visible(str(error))}"
        case aws.ProfileNotFound():
            return f"There is no AWS profile {target.profile!r}: aws configure list-profiles shows those that exist."
        case aws.NoRegionError():
            return "No AWS region is set: pass --region, or set AWS_REGION or the profile's region."
        case aws.HTTPClientError() | aws.ConnectionError():
            return f"No answer from the {target}: check --region, --endpoint-url and the network. {visible(str(error))}"
        case _:
            return f"AWS could not be called for the {target}: {visible(str(error))}"
