"""Who is calling, as AWS knows them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recommendation_cli.aws.connection import Location
from recommendation_cli.aws.errors import AwsError, code_and_message, explained_calls
from recommendation_cli.screen.visible import visible

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


def caller_arn(create_client: Callable[[str, Location], Any], location: Location) -> str:
    """Return the ARN of the caller's role session or user, from STS; raise `AwsError` if there is no answer."""
    with explained_calls(location, "STS", _refused):
        arn = create_client("sts", location).get_caller_identity().get("Arn")
    if not isinstance(arn, str) or not arn:
        raise AwsError("STS does not say who you are: check --endpoint-url, which must serve STS too.")
    return arn


def _refused(error: "ClientError", _location: Location) -> str:
    code, message = code_and_message(error)
    return f"STS does not say who you are ({visible(code)}): {message}"
