"""How a failed SendMessageBatch call affects its entries: retry, split or drop."""

from typing import Final, Literal

from recommendation_shared.aws_errors import (
    CREDENTIALS,
    EXPIRED_CREDENTIALS,
    error_code,
    http_status,
    is_throttling,
    is_too_large,
    is_transient,
    response_of,
)

_ABOUT_CONTENTS: Final = frozenset({"BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"})
# A clock that stood still while the sandbox was frozen, or wrong credentials: the code does not say which.
_REFUSED_SIGNATURE: Final = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
_WRONG_TIME: Final = ("Signature expired", "Signature not yet current")
_SKEWED_CLOCK: Final = "RequestTimeTooSkewed"
# Raised by botocore before it sends anything, until somebody corrects the configuration or the environment.
_MISCONFIGURED: Final = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "EndpointProviderError",
        "EndpointResolutionError",
        "EndpointVariantError",
        "InfiniteLoopConfigError",
        "NoCredentialsError",
        "NoRegionError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "ValueError",  # an endpoint without a scheme
    }
)
_MISCONFIGURED_PREFIXES: Final = ("Invalid", "Missing", "Unknown", "Unsupported")  # of botocore's other exceptions
# Everything that fails between here and SQS is an exception of these packages or one of the types below (botocore
# raises a RuntimeError for credentials that are still expired after a renewal). Others come out of what the host has
# wrapped around its clients, such as an X-Ray recorder that finds no segment on our threads.
_TRANSPORT: Final = frozenset({"botocore", "http", "urllib3"})
_MAY_PASS: Final = (OSError, RuntimeError, MemoryError)
# The host's packages do not fit together: no retry helps in this process.
_BROKEN: Final = (ImportError, SyntaxError, TypeError, AttributeError, NameError)
_CLIENT_ERRORS: Final = range(400, 500)
_MESSAGE_CHARACTERS: Final = 300


# What to do with the entries of a call that failed as a whole.
Verdict = Literal["retry", "retry briefly", "split", "drop", "unavailable"]


def judge(error: BaseException) -> Verdict:
    """Return what to do with the entries of a failed call, judged by its error code.

    A permanent cause (AccessDenied, QueueDoesNotExist, no region) is not retried, because every flush would wait for
    it. A complaint about the contents concerns one entry of up to ten: the batch is split until that entry is alone.
    """
    response = response_of(error)
    code = error_code(error)
    if response is None:
        if isinstance(_origin(error), _BROKEN):
            return "unavailable"
        if _is_misconfigured(error):
            return "drop"
        return "retry" if _may_pass(_origin(error)) else "retry briefly"
    if code in _ABOUT_CONTENTS or is_too_large(error):
        return "split"
    if is_throttling(error) or is_transient(error) or code in EXPIRED_CREDENTIALS or code == _SKEWED_CLOCK:
        return "retry"
    if code in _REFUSED_SIGNATURE:
        message = str(response.get("Error", {}).get("Message", ""))
        return "retry" if any(text in message for text in _WRONG_TIME) else "retry briefly"
    return "drop" if http_status(error) in _CLIENT_ERRORS else "retry"


def is_about_credentials(error: BaseException) -> bool:
    """Return whether other credentials might be accepted where these were not."""
    return error_code(error) in CREDENTIALS


def cause(error: BaseException) -> str:
    """Return the cause of a failed call for the log: its code, and the message of a client that sent nothing."""
    origin = _origin(error)
    if isinstance(origin, _BROKEN):
        return f"the SQS client is unavailable: {type(origin).__name__}: {origin}"[:_MESSAGE_CHARACTERS]
    if response_of(error) is None and _is_misconfigured(error):
        return f"SendMessageBatch failed: {error_code(error)}: {error}"[:_MESSAGE_CHARACTERS]
    return f"SendMessageBatch failed: {error_code(error)}"


def _is_misconfigured(error: BaseException) -> bool:
    name = error_code(error)
    return name in _MISCONFIGURED or (name.startswith(_MISCONFIGURED_PREFIXES) and _packages(error) >= {"botocore"})


def _may_pass(error: BaseException) -> bool:
    if not isinstance(error, Exception) or isinstance(error, _MAY_PASS):
        return True
    return not _packages(error).isdisjoint(_TRANSPORT)


def _packages(error: BaseException) -> set[str]:
    """Return the packages in which the exception's type and its bases are defined."""
    return {kind.__module__.partition(".")[0] for kind in type(error).__mro__}


def _origin(error: BaseException) -> BaseException:
    """Return the exception that botocore has wrapped in one of its own, such as `HTTPClientError`."""
    wrapped = getattr(error, "kwargs", None)
    origin = wrapped.get("error") if isinstance(wrapped, dict) else None
    return origin if isinstance(origin, BaseException) else error
