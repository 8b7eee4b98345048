"""Lambda's side of an invocation: the context object, and the records of an SQS event. Imports as little as it can."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REGION: Final = "us-east-1"
_QUEUE_ARN: Final = f"arn:aws:sqs:{REGION}:123456789012:opx-recommendations"


@dataclass
class LambdaContext:
    """Lambda's context object, whose remaining time never runs down."""

    remaining_ms: int = 60_000
    aws_request_id: str = "8f5c1f4e-7a0e-4f0e-9a43-6f2f3a8f7c11"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        return self.remaining_ms


def sqs_record(
    message_id: str, body: str, attributes: Mapping[str, str], *, receipt_handle: str = "", md5: str = ""
) -> dict[str, Any]:
    """Return a record as an SQS event source mapping passes it to the function."""
    return {
        "messageId": message_id,
        "receiptHandle": receipt_handle,
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": _QUEUE_ARN,
        "awsRegion": REGION,
    }
