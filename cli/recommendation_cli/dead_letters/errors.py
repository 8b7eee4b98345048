"""What can go wrong between an operator and the dead letters, each as one sentence with its remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from recommendation_cli.aws.connection import EndpointError
from recommendation_cli.aws.errors import AwsError, ExitCode, credentials_refused, unreachable
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.screen.visible import visible

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# MiniStack's answer, and what AWS's JSON protocol gives for an operation that a service does not have.
_UNKNOWN_ACTIONS: Final = {"InvalidAction", "UnknownOperationException"}


class IncompleteError(click.ClickException):
    """Some dead letters are still where they were; the message says which and what to do."""

    exit_code = ExitCode.INCOMPLETE


@contextmanager
def explained_queue(target: QueueTarget) -> Iterator[None]:
    """Turn botocore's errors into `AwsError`, or into a usage error where the caller's input is at fault."""
    from botocore import exceptions as aws
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (aws.ParamValidationError, EndpointError) as error:
        raise click.UsageError(visible(" ".join(str(error).split()))) from None
    except aws.ClientError as error:
        raise AwsError(_refused(error, target)) from None
    except aws.BotoCoreError as error:
        raise AwsError(unreachable(error, target)) from None
    except ResponseParserError:
        raise AwsError(f"What answers as the {target} is not SQS: check --endpoint-url.") from None


def is_unknown_action(error: "ClientError") -> bool:
    """Tell whether the service has no such call at all, as emulators of SQS have no move tasks."""
    return error_code(error) in _UNKNOWN_ACTIONS


def error_code(error: "ClientError") -> str:
    """Return the code without the prefix that SQS gives some for the sake of its older protocol."""
    found: dict[str, Any] = error.response.get("Error", {})
    return str(found.get("Code", "unknown")).removeprefix("AWS.SimpleQueueService.")


def _refused(error: "ClientError", target: QueueTarget) -> str:
    code, message = error_code(error), visible(str(error.response.get("Error", {}).get("Message", "")))
    credentials = credentials_refused(code)
    if credentials is not None:
        return credentials
    match code:
        case "NonExistentQueue" | "QueueDoesNotExist" | "ResourceNotFoundException":
            return f"There is no {target}: check {target.option}, --region, --profile and --endpoint-url."
        case "AccessDenied" | "AccessDeniedException":
            return (
                f"Access to the {target} is denied: use an identity that may assume RecommendationRedriveRole."
                f" SQS says: {message}"
            )
        case "InvalidAddress":
            return f"The {target} is not of the region or account that was called: check {target.option} and --region."
        case "InvalidSecurity":
            return f"SQS takes no insecure call for the {target}: use an https --endpoint-url. SQS says: {message}"
        case "UnsupportedOperation":
            return (
                f"SQS cannot move the {target}'s messages by itself: add a filter or --limit, which moves them one by"
                f" one. SQS says: {message}"
            )
        case "OverLimit":
            return f"Too many messages of the {target} are in flight: wait until other readers have returned theirs."
        case "RequestThrottled" | "ThrottlingException" | "Throttling":
            return f"The {target} is throttling calls: try again in a moment, or more slowly (--rate)."
        case _ if code.startswith("Kms"):
            return f"The {target}'s KMS key cannot be used ({visible(code)}): check the key's policy. {message}"
        case _:
            return f"SQS refused the call on the {target} ({visible(code)}): {message}"
