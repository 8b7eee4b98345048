"""How a failed SendMessageBatch call affects its entries: retry, split or drop."""

from enum import Enum, auto
from typing import Final

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
# Raised by the client before it sends anything, until somebody corrects the configuration.
_MISCONFIGURED: Final = frozenset(
    {"ModuleNotFoundError", "NoCredentialsError", "NoRegionError", "ParamValidationError", "ProfileNotFound"}
)
_CLIENT_ERRORS: Final = range(400, 500)


class Verdict(Enum):
    """What to do with the entries of a call that failed as a whole."""

    RETRY = auto()
    SPLIT = auto()
    DROP = auto()


def judge(error: Exception) -> Verdict:
    """Return what to do with the entries of a failed call, judged by its error code.

    A permanent cause (AccessDenied, QueueDoesNotExist, no region) is not retried, because every flush would wait for
    it. A complaint about the contents concerns one entry of up to ten: the batch is split until that entry is alone.
    """
    code = error_code(error)
    if response_of(error) is None:
        return Verdict.DROP if code in _MISCONFIGURED else Verdict.RETRY
    if code in _ABOUT_CONTENTS or is_too_large(error):
        return Verdict.SPLIT
    if is_throttling(error) or is_transient(error) or code in EXPIRED_CREDENTIALS:
        return Verdict.RETRY
    return Verdict.DROP if http_status(error) in _CLIENT_ERRORS else Verdict.RETRY


def is_about_credentials(error: Exception) -> bool:
    """Return whether other credentials might be accepted where these were not."""
    return error_code(error) in CREDENTIALS
