"""The body of an envelope, as SQS takes it."""

from typing import Any

from recommendation_shared import limits
from recommendation_shared.envelope.writing import body_of
from recommendation_shared.import_guard import importing


def written(fields: dict[str, Any]) -> bytes:
    """Return the body of an envelope's fields, shrunk if it is too large for SQS. It may still be, then."""
    body = body_of(fields)
    return body if len(body) <= limits.SQS_REQUEST_BYTES else _shrunk(body)


def _shrunk(body: bytes) -> bytes:
    with importing():
        from recommendation_shared.item.shrink import shrink  # noqa: PLC0415 - nine modules that few hosts ever need

    return shrink(body)
