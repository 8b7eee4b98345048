"""Classify failed AWS calls by how to continue: retry, slow down, split the request or give up."""

from enum import Enum
from typing import Final, NamedTuple

from botocore.exceptions import BotoCoreError, ChecksumError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from recommendation_shared.aws_errors import error_code, is_throttling, is_too_large, is_transient

# Error types of our own, in metrics and logs.
THROTTLED: Final = "Throttled"
UNREACHABLE: Final = "Unreachable"


class Kind(Enum):
    """How to continue after an error."""

    THROTTLED = "retry more slowly, until the deadline"
    TRANSIENT = "retry a few times"
    INVALID = "the request is at fault: retrying it unchanged cannot help"
    SYSTEMIC = "permissions, credentials or resources are at fault: retrying cannot help"


class Failure(NamedTuple):
    """A classified error. `error_type` is its name in metrics and logs: AWS's code, if it has one."""

    kind: Kind
    error_type: str


# SerializationException: DynamoDB could not parse a value's type.
INVALID: Final = frozenset({"ValidationException", "SerializationException"})


def classify(error: ClientError | BotoCoreError) -> Failure:
    """Return an error's kind and type. Its message is dropped, because DynamoDB quotes the item's values in it."""
    if isinstance(error, ClientError):
        code = error_code(error)
        if not code or not code.isascii() or not code.isprintable():  # not valid as a metric's dimension
            code = type(error).__name__
        kind = _kind(error)
        return Failure(kind, THROTTLED if kind is Kind.THROTTLED else code)
    # Refused, reset, timed out or corrupted; or a pooled connection that died while the sandbox was frozen.
    if isinstance(error, HTTPClientError | BotoConnectionError | ChecksumError):
        return Failure(Kind.TRANSIENT, UNREACHABLE)
    return Failure(Kind.SYSTEMIC, type(error).__name__)


def _kind(error: ClientError) -> Kind:
    if is_throttling(error):
        return Kind.THROTTLED
    if error_code(error) in INVALID or is_too_large(error):
        return Kind.INVALID
    return Kind.TRANSIENT if is_transient(error) else Kind.SYSTEMIC
