"""SQS's move tasks: botocore's real client with prepared responses."""

from typing import Any

import boto3
from botocore.stub import Stubber

from tests.support.fakes.dead_letter_queue import (
    DLQ,
    DLQ_ARN,
    QUEUE,
    QUEUE_ARN,
    REDRIVE_POLICY,
    body,
)

ALL = ["All"]
START = {"SourceArn": DLQ_ARN, "DestinationArn": QUEUE_ARN}
LIST = {"SourceArn": DLQ_ARN, "MaxResults": 10}
RECEIVE = (
    "MaxNumberOfMessages",
    "VisibilityTimeout",
    "WaitTimeSeconds",
    "MessageAttributeNames",
    "MessageSystemAttributeNames",
)
BEFORE = {"Status": "COMPLETED", "StartedTimestamp": 1_000, "ApproximateNumberOfMessagesMoved": 9}


class StubbedSqs(Stubber):  # type: ignore[misc]  # botocore ships no types
    """SQS as documented, call by call."""

    def __init__(self) -> None:
        self.sqs: Any = boto3.client("sqs", region_name="us-east-1")
        super().__init__(self.sqs)

    def tasks(self, *tasks: dict[str, Any]) -> None:
        """Prepare the response to ListMessageMoveTasks."""
        self.add_response("list_message_move_tasks", {"Results": list(tasks)}, LIST)

    def dead_letters(self, messages: int = 500, in_flight: int = 0) -> None:
        """Prepare the responses that prove what the dead-letter queue is: its attributes, and those of its queue."""
        depth = {
            "QueueArn": DLQ_ARN,
            "ApproximateNumberOfMessages": str(messages),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        }
        self.add_response("get_queue_attributes", {"Attributes": depth}, {"QueueUrl": DLQ, "AttributeNames": ALL})
        self._main_queue()

    def queues(self, *tasks: dict[str, Any], in_flight: int = 0) -> None:
        """Prepare the responses to the first calls: both queues, and these tasks (by default, one that has ended)."""
        self.dead_letters(in_flight=in_flight)
        self.tasks(*(tasks or (BEFORE,)))
        self._main_queue()

    def _main_queue(self) -> None:
        policy = {"QueueArn": QUEUE_ARN, "RedrivePolicy": REDRIVE_POLICY}
        self.add_response("get_queue_attributes", {"Attributes": policy}, {"QueueUrl": QUEUE, "AttributeNames": ALL})

    def inspection(self, *messages: dict[str, Any]) -> None:
        """Prepare the responses to the inspection of what would be moved."""
        if messages:
            self.add_response("receive_message", {"Messages": list(messages)})
        self.add_response("receive_message", {})
        if messages:
            self.add_response("change_message_visibility_batch", {"Successful": [{"Id": "0"}], "Failed": []})

    def start(self, **extra: Any) -> None:
        """Prepare the response to StartMessageMoveTask."""
        self.tasks(BEFORE)
        self.add_response("start_message_move_task", {"TaskHandle": "handle"}, {**START, **extra})


def move_task(status: str, moved: int, **more: Any) -> dict[str, Any]:
    """Return an entry of a ListMessageMoveTasks response; 500 messages are to be moved."""
    handle = {"TaskHandle": "handle"} if status == "RUNNING" else {}
    return {
        "Status": status,
        "StartedTimestamp": 2_000,
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": 500,
        **handle,
        **more,
    }


def received_message(**attributes: str) -> dict[str, Any]:
    """Return a received dead letter with message attributes of type String."""
    return {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": body(),
        "Attributes": {"SentTimestamp": "1000", "ApproximateReceiveCount": "6"},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }
