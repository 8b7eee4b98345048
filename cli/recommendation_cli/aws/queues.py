"""A queue, where it is, and the SQS client."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from recommendation_cli.aws.connection import create_client

REDRIVE_ROLE: Final = "RecommendationRedriveRole"


class Sqs(Protocol):
    """The calls of botocore's client that `recs dlq` uses; each raises botocore's errors."""

    def get_queue_attributes(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the queue's attributes as `Attributes`."""

    def list_dead_letter_source_queues(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the URLs of the queues whose redrive policy names this one as `queueUrls`."""

    def receive_message(self, **parameters: Any) -> Mapping[str, Any]:
        """Return up to ten messages as `Messages`, hidden from other readers for the visibility timeout."""

    def send_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Return which entries were sent (`Successful`) and which were not (`Failed`)."""

    def delete_message_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Return which entries were deleted (`Successful`) and which were not (`Failed`)."""

    def change_message_visibility_batch(self, **parameters: Any) -> Mapping[str, Any]:
        """Return which entries were changed (`Successful`) and which were not (`Failed`)."""

    def start_message_move_task(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the task's `TaskHandle`."""

    def list_message_move_tasks(self, **parameters: Any) -> Mapping[str, Any]:
        """Return a source queue's latest tasks as `Results`."""

    def cancel_message_move_task(self, **parameters: Any) -> Mapping[str, Any]:
        """Return `ApproximateNumberOfMessagesMoved`."""


@dataclass(frozen=True)
class QueueTarget:
    """A queue and where it is.

    Messages call it `noun`, and tell who may not use it to assume `role`. `option` gives its URL on the command line.
    """

    url: str
    noun: str
    option: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    role: str = REDRIVE_ROLE

    @property
    def name(self) -> str:
        """The queue's name: the last part of its URL."""
        return self.url.rstrip("/").rpartition("/")[2]

    def __str__(self) -> str:
        """Return its name in messages."""
        region = f" in {self.region}" if self.region else ""
        endpoint = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"{self.noun} {self.name}{region}{endpoint}"


def connect_queues(target: QueueTarget) -> Sqs:
    """Return an SQS client. Raises botocore's errors (unknown profile, no region) and `EndpointError`."""
    client: Sqs = create_client("sqs", target)
    return client
