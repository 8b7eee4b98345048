"""What a failed SendMessageBatch call means for its entries."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

_ABOUT_CONTENTS: Final = frozenset({"BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"})
# Answered with 4xx, and yet gone a moment later.
_PASSING: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "KmsThrottled",
        "OverLimit",
        "RequestExpired",
        "RequestThrottled",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# Raised by the client itself before anything is sent; they stay until somebody corrects the configuration.
_MISCONFIGURED: Final = frozenset(
    {"ModuleNotFoundError", "NoCredentialsError", "NoRegionError", "ParamValidationError", "ProfileNotFound"}
)
# Missing, wrong or out of date: somebody may log in again, rotate a key or write the environment anew.
_ABOUT_CREDENTIALS: Final = frozenset(
    {
        "CredentialRetrievalError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NoCredentialsError",
        "PartialCredentialsError",
        "SSOTokenLoadError",
        "SignatureDoesNotMatch",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
        "UnrecognizedClientException",
    }
)
_CLIENT_ERRORS: Final = range(400, 500)
_TOO_MANY_REQUESTS: Final = 429


class Verdict(Enum):
    """What to do with the entries of a call that failed as a whole."""

    RETRY = auto()
    SPLIT = auto()
    DROP = auto()


def judge(error: Exception) -> Verdict:
    """Judge a failed call by its code.

    A cause that will not go away by itself (AccessDenied, QueueDoesNotExist, no region) is not retried: every flush
    would wait for it. A complaint about the contents concerns one entry, not all ten: split until it stands alone.
    """
    response = _response_of(error)
    code = code_of(error)
    if response is None:
        return Verdict.DROP if code in _MISCONFIGURED else Verdict.RETRY
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _ABOUT_CONTENTS:
        return Verdict.SPLIT
    if code in _PASSING or status == _TOO_MANY_REQUESTS or status not in _CLIENT_ERRORS:
        return Verdict.RETRY
    return Verdict.DROP


def is_about_credentials(error: Exception) -> bool:
    """Tell whether other credentials may be accepted where these were not."""
    return code_of(error) in _ABOUT_CREDENTIALS


def code_of(error: BaseException) -> str:
    """Return the AWS error code without its namespace, or the exception's type; never a message, never a body."""
    response = _response_of(error)
    if response is None:
        return type(error).__name__
    code = str(response.get("Error", {}).get("Code", "Unknown"))
    return code.rpartition(".")[2].rpartition("#")[2]


def _response_of(error: BaseException) -> Mapping[str, Any] | None:
    """Return what AWS answered; read by name, because importing botocore's ClientError would cost the host 50 ms."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else None
