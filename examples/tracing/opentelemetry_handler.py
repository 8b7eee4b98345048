"""The consumer's handler with a span for each DynamoDB call: add this module to the zip, as the handler."""

from contextlib import AbstractContextManager

from opentelemetry import trace

from recommendation_consumer.handler import handler, observe_calls
from recommendation_consumer.observation import Call

__all__ = ["handler"]


def span(call: Call) -> AbstractContextManager[object]:
    """Return a client's span, which records the call's exception; the names are OpenTelemetry's for DynamoDB."""
    attributes = {
        "rpc.system": "aws-api",
        "rpc.service": "DynamoDB",
        "rpc.method": call.operation,
        "db.system.name": "aws.dynamodb",
        "aws.dynamodb.table_names": [call.table],
    }
    tracer = trace.get_tracer("recommendation_consumer")
    return tracer.start_as_current_span(f"DynamoDB.{call.operation}", kind=trace.SpanKind.CLIENT, attributes=attributes)


observe_calls(span)
