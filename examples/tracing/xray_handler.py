"""The consumer's handler with a subsegment for each DynamoDB call: add this module to the zip, as the handler.

The function needs active tracing (`Tracing: Active`), and aws-xray-sdk in its zip. The SDK's own
`patch(["aiobotocore"])` shows the calls to SQS.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]  # it has no type hints
from aws_xray_sdk.core.models.subsegment import Subsegment  # type: ignore[import-untyped]  # it has no type hints

from recommendation_consumer.handler import handler, observe_calls
from recommendation_consumer.observation import Call

__all__ = ["handler"]


@contextmanager
def subsegment(call: Call) -> Iterator[None]:
    """Add a subsegment to the invocation's segment. Calls overlap, so none becomes the recorder's current entity."""
    segment = xray_recorder.current_segment()
    if segment is None:  # not traced
        yield
        return
    part = Subsegment("DynamoDB", "aws", segment)
    part.set_aws({"operation": call.operation, "table_name": call.table, "region": call.region})
    segment.add_subsegment(part)
    try:
        yield
    except Exception as error:
        part.add_exception(error, [])
        raise
    finally:
        part.close()
        xray_recorder.stream_subsegments()


observe_calls(subsegment)
