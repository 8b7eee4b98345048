"""AWS error codes, grouped by what they mean for the caller.

Sources: Amazon DynamoDB Developer Guide, "Error handling"; Amazon SQS API Reference, SendMessageBatch; IAM API
Reference, "Common Errors"; and the codes that botocore's standard retry mode retries. Importing this module does not
import botocore, which would cost the producer's host 50 ms; an error from botocore shows that it is loaded already.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

# Documented by DynamoDB, SQS and KMS. `throttling_codes` adds botocore's.
_THROTTLING: Final = frozenset(
    {
        "KMS.ThrottlingException",
        "KmsThrottled",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ThrottlingException",
    }
)
# Documented as retryable, although with HTTP 4xx. `transient_codes` adds botocore's.
_TRANSIENT: Final = frozenset(
    {
        "OverLimit",
        "ReplicatedWriteConflictException",
        "RequestExpired",
        "TransactionConflictException",
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
CONDITION_FAILED: Final = "ConditionalCheckFailedException"
MISSING_RESOURCE: Final = frozenset({"NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"})

_REQUEST_TIMEOUT: Final = 408  # HTTP statuses, under which a gateway's error has a code of its own or none
_CONTENT_TOO_LARGE: Final = 413
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500  # and those above

# Our own names, used alongside AWS's codes: a response confirmed less than was requested, or time ran out.
NOT_CONFIRMED: Final = "NotConfirmed"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"

_SQS_NAMESPACE: Final = "AWS.SimpleQueueService."  # prefix of codes from SQS's older query protocol


@cache
def throttling_codes() -> frozenset[str]:
    """Return the codes after which the same call will succeed later, if calls are less frequent."""
    return _THROTTLING | _standard_mode("ThrottledRetryableChecker", "_THROTTLED_ERROR_CODES")


@cache
def transient_codes() -> frozenset[str]:
    """Return the codes with HTTP 4xx after which the same call may succeed a moment later."""
    return (_TRANSIENT | _standard_mode("TransientRetryableChecker", "_TRANSIENT_ERROR_CODES")) - throttling_codes()


def _standard_mode(checker: str, codes: str) -> frozenset[str]:
    """Return the codes in botocore's standard retry mode, or none if there is no botocore or it has no such list.

    The host of a producer chooses the version of botocore. These names are private, and the same since 1.15.
    """
    try:
        from botocore.retries import standard  # noqa: PLC0415 - see the module's docstring
    except ImportError:
        return frozenset()
    return frozenset(getattr(getattr(standard, checker, None), codes, ()))


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


def is_throttling(error: BaseException) -> bool:
    """Return whether the same call will succeed later, if it is made less often."""
    return error_code(error) in throttling_codes() or http_status(error) == _TOO_MANY_REQUESTS


def is_transient(error: BaseException) -> bool:
    """Return whether the same call may succeed a moment later: also any HTTP 5xx, and a gateway's HTTP 408."""
    status = http_status(error)
    return error_code(error) in transient_codes() or status == _REQUEST_TIMEOUT or status >= _SERVER_ERROR


def is_too_large(error: BaseException) -> bool:
    """Return whether a gateway refused the request for its size: a smaller one may pass."""
    return http_status(error) == _CONTENT_TOO_LARGE
