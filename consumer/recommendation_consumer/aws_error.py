"""What an error of an AWS call means for the one who made it."""

from enum import Enum
from typing import Final, NamedTuple

from botocore.exceptions import BotoCoreError, ChecksumError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

THROTTLED: Final = "Throttled"
UNREACHABLE: Final = "Unreachable"
NOT_CONFIRMED: Final = "NotConfirmed"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"


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


# DynamoDB Developer Guide, "Error handling"; SQS API reference, "SendMessageBatch"; what AWS's gateways answer. Whether
# the table or an index is throttled stands in the reasons that come along, and changes nothing about how to go on.
KINDS: Final = {
    "ProvisionedThroughputExceededException": Kind.THROTTLED,
    "ThrottlingException": Kind.THROTTLED,
    "RequestLimitExceeded": Kind.THROTTLED,
    "Throttling": Kind.THROTTLED,
    "RequestThrottled": Kind.THROTTLED,
    "KmsThrottled": Kind.THROTTLED,
    "KMS.ThrottlingException": Kind.THROTTLED,
    "ReplicatedWriteConflictException": Kind.TRANSIENT,
    "TransactionConflictException": Kind.TRANSIENT,
    "TransactionInProgressException": Kind.TRANSIENT,
    "RequestTimeout": Kind.TRANSIENT,
    "ValidationException": Kind.INVALID,
    "SerializationException": Kind.INVALID,  # a type that JSON has wrong
}
_STATUSES: Final = {408: Kind.TRANSIENT, 413: Kind.INVALID, 429: Kind.THROTTLED}
_SERVER_ERROR: Final = 500  # HTTP status, and those above


def classify(error: ClientError | BotoCoreError) -> AwsFailure:
    """Tell what an error of botocore means. Its text is left out: DynamoDB quotes values of the item in it."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        if not code or not code.isascii() or not code.isprintable():  # no dimension of a metric could be named so
            code = type(error).__name__
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        kind = KINDS.get(code) or _STATUSES.get(status)
        if kind is None:
            kind = Kind.TRANSIENT if status >= _SERVER_ERROR else Kind.SYSTEMIC
        return AwsFailure(kind, THROTTLED if kind is Kind.THROTTLED else code)
    # Refused, reset, timed out, damaged; also a pooled connection that died while the sandbox was frozen.
    if isinstance(error, HTTPClientError | BotoConnectionError | ChecksumError):
        return AwsFailure(Kind.TRANSIENT, UNREACHABLE)
    return AwsFailure(Kind.SYSTEMIC, type(error).__name__)
