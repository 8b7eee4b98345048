"""AWS error codes, grouped by what they mean for the caller.

Sources: Amazon DynamoDB Developer Guide, "Error handling"; Amazon SQS API Reference, SendMessageBatch; IAM API
Reference, "Common Errors"; botocore's own retry rules. This module does not import botocore, which would cost the
producer's host 50 ms.
"""

from collections.abc import Mapping
from typing import Any, Final

# The same call will succeed later if calls are less frequent.
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
# Errors with HTTP 4xx, although the same call may succeed a moment later.
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
# botocore raises these exceptions before it sends anything.
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
# Other credentials may be accepted: after a new sign-in, a rotated key or a changed environment.
CREDENTIALS: Final = EXPIRED_CREDENTIALS | REFUSED_CREDENTIALS | MISSING_CREDENTIALS
ACCESS_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})

# Our own names, used alongside AWS's codes: a response confirmed less than was requested, or time ran out.
NOT_CONFIRMED: Final = "NotConfirmed"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"

_SQS_NAMESPACE: Final = "AWS.SimpleQueueService."  # prefix of codes from SQS's older query protocol


def response_of(error: BaseException) -> Mapping[str, Any] | None:
    """Return the response of a botocore `ClientError`, or None for any other exception."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else None


def error_code(error: BaseException) -> str:
    """Return AWS's error code without its namespace, or the name of the exception's type. Never returns its message."""
    response = response_of(error)
    if response is None:
        return type(error).__name__
    code = str(response.get("Error", {}).get("Code", "Unknown"))
    return code.rpartition("#")[2].removeprefix(_SQS_NAMESPACE)


def http_status(error: BaseException) -> int:
    """Return the HTTP status of a botocore `ClientError`, or 0 if there is none."""
    status = (response_of(error) or {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status if isinstance(status, int) else 0
