"""What an error of an AWS call means for the one who made it."""

from enum import Enum
from typing import Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

THROTTLED: Final = "Throttled"
UNREACHABLE: Final = "Unreachable"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"

# DynamoDB Developer Guide, "Error handling", and what AWS's gateways answer.
_THROTTLING: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "Throttling",
        "RequestThrottled",
    }
)
_INVALID: Final = frozenset({"ValidationException", "SerializationException"})  # the latter: a type that JSON has wrong
_SERVER_ERROR: Final = 500  # HTTP status


class Kind(Enum):
    """How to go on after an error."""

    THROTTLED = "retry, more slowly, as long as there is time"
    TRANSIENT = "retry a few times"
    INVALID = "the request is at fault: no retry of the same can help"
    SYSTEMIC = "permissions, credentials or resources are at fault: no retry can help"


class AwsFailure(NamedTuple):
    """`error_type` is a name for metrics and logs: AWS's own code, where there is one."""

    kind: Kind
    error_type: str


def classify(error: ClientError | BotoCoreError) -> AwsFailure:
    """Tell what an error of botocore means. Its text is left out: DynamoDB quotes values of the item in it."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "")) or type(error).__name__
        if code in _THROTTLING:
            return AwsFailure(Kind.THROTTLED, THROTTLED)
        if code in _INVALID:
            return AwsFailure(Kind.INVALID, code)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return AwsFailure(Kind.TRANSIENT if status >= _SERVER_ERROR else Kind.SYSTEMIC, code)
    # Refused, reset, timed out; also a pooled connection that died while the sandbox was frozen.
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return AwsFailure(Kind.TRANSIENT, UNREACHABLE)
    return AwsFailure(Kind.SYSTEMIC, type(error).__name__)
