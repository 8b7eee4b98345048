"""A hook around the consumer's DynamoDB calls, for tracing.

X-Ray's SDK and OpenTelemetry's instrumentation patch botocore's `_make_api_call`, which these calls do not pass through
(see `dynamodb_calls`). Calls to SQS do. `examples/tracing` has a handler for each of the two.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple


class Call(NamedTuple):
    """A DynamoDB call, such as `BatchWriteItem`. `region` is None if botocore chooses it."""

    operation: str
    table: str
    region: str | None


Observer = Callable[[Call], AbstractContextManager[object]]
"""Returns a context that is entered before the call and left with its exception, if any; up to eight overlap."""
