"""Which queues are meant, where they are, and the client that speaks to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from recommendation_cli.aws.connection import create_client


class Sqs(Protocol):
    """The calls of botocore's client that dead letters need; each raises botocore's errors."""

    def get_queue_attributes(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the queue's attributes as `Attributes`."""

    def receive_message(self, **parameters: Any) -> Mapping[str, Any]:
        """Return up to ten messages as `Messages`, hidden from others for a while."""

    def send_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Return which entries were sent (`Successful`) and which were not (`Failed`)."""

    def delete_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Return which entries were deleted (`Successful`) and which were not (`Failed`)."""

    def change_message_visibility_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Return which entries were changed (`Successful`) and which were not (`Failed`)."""

    def start_message_move_task(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the task's `TaskHandle`."""

    def list_message_move_tasks(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the newest tasks of a source as `Results`."""

    def cancel_message_move_task(self, **parameters: Any) -> Mapping[str, Any]:
        """Return `ApproximateNumberOfMessagesMoved`."""


@dataclass(frozen=True)
class QueueTarget:
    """A queue and where it is; `noun` is what messages call it, `option` what names its URL on the command line."""

    url: str
    noun: str
    option: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    @property
    def name(self) -> str:
        """The queue's name, which is the last part of its URL."""
        return self.url.rstrip("/").rpartition("/")[2]

    def __str__(self) -> str:
        """Return how messages name it."""
        region = f" in {self.region}" if self.region else ""
        endpoint = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"{self.noun} {self.name}{region}{endpoint}"


def connect_queues(target: QueueTarget) -> Sqs:
    """Return an SQS client. Raises botocore's errors (unknown profile, no region) and `EndpointError`."""
    client: Sqs = create_client("sqs", target)
    return client
