"""How a failed SendMessageBatch call affects its entries: retry, split or drop."""

from enum import Enum, auto
from typing import Final

from recommendation_shared.aws_errors import (
    CREDENTIALS,
    EXPIRED_CREDENTIALS,
    THROTTLING,
    TRANSIENT,
    error_code,
    http_status,
    response_of,
)

_ABOUT_CONTENTS: Final = frozenset({"BatchRequestTooLong", "InvalidMessageContents", "InvalidParameterValue"})
# HTTP 4xx responses, although the same call may succeed a moment later.
_PASSING: Final = THROTTLING | TRANSIENT | EXPIRED_CREDENTIALS
# Raised by the client before it sends anything, until somebody corrects the configuration.
_MISCONFIGURED: Final = frozenset(
    {"ModuleNotFoundError", "NoCredentialsError", "NoRegionError", "ParamValidationError", "ProfileNotFound"}
)
_CLIENT_ERRORS: Final = range(400, 500)
_TOO_MANY_REQUESTS: Final = 429


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
    if code in _ABOUT_CONTENTS:
        return Verdict.SPLIT
    status = http_status(error)
    if code in _PASSING or status == _TOO_MANY_REQUESTS or status not in _CLIENT_ERRORS:
        return Verdict.RETRY
    return Verdict.DROP


def is_about_credentials(error: Exception) -> bool:
    """Return whether other credentials might be accepted where these were not."""
    return error_code(error) in CREDENTIALS
