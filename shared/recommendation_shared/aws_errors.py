"""AWS error codes by what they mean for the caller.

Sources: DynamoDB Developer Guide, "Error handling"; SQS API reference, "SendMessageBatch"; IAM User Guide, "Common
errors"; botocore's own retry rules. Nothing here imports botocore, which costs a producer's host 50 ms.
"""

from collections.abc import Mapping
from typing import Any, Final

# The same call will succeed later, if it is made less often.
THROTTLING: Final = frozenset(
    {
        "KMS.ThrottlingException",
        "KmsThrottled",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# Answered with HTTP 4xx, and yet the same call may succeed a moment later.
TRANSIENT: Final = frozenset(
    {
        "OverLimit",
        "ReplicatedWriteConflictException",
        "RequestExpired",
        "RequestTimeout",
        "RequestTimeoutException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
EXPIRED_CREDENTIALS: Final = frozenset({"ExpiredToken", "ExpiredTokenException"})
REFUSED_CREDENTIALS: Final = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# botocore's exceptions, raised before anything is sent.
MISSING_CREDENTIALS: Final = frozenset(
    {
        "CredentialRetrievalError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
# Somebody may sign in again, rotate a key or set the environment: other credentials may be accepted.
CREDENTIALS: Final = EXPIRED_CREDENTIALS | REFUSED_CREDENTIALS | MISSING_CREDENTIALS
ACCESS_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})

# Our own names beside AWS's codes: a response confirmed less than was asked for, or time ran out.
NOT_CONFIRMED: Final = "NotConfirmed"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"

_SQS_NAMESPACE: Final = "AWS.SimpleQueueService."  # of codes that SQS keeps from its query protocol


def response_of(error: BaseException) -> Mapping[str, Any] | None:
    """Return the response of a botocore `ClientError`, or None for any other exception."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else None


def error_code(error: BaseException) -> str:
    """Return AWS's error code without its namespace, or the exception's type; never a message, never a body."""
    response = response_of(error)
    if response is None:
        return type(error).__name__
    code = str(response.get("Error", {}).get("Code", "Unknown"))
    return code.rpartition("#")[2].removeprefix(_SQS_NAMESPACE)


def http_status(error: BaseException) -> int:
    """Return the HTTP status of a botocore `ClientError`, or 0 when there is none."""
    status = (response_of(error) or {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status if isinstance(status, int) else 0
