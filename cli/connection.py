"""Which table is read, where it is, and the client that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 20
ATTEMPTS: Final = 3  # in all


class DynamoDb(Protocol):
    """The two calls of boto3's low-level client that reading needs."""

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return one page: `Items`, and `LastEvaluatedKey` unless it is the last."""

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the item as `Item`; without one there is no such key."""


@dataclass(frozen=True)
class Target:
    """A table and where it is; None leaves the choice to AWS's own environment and configuration."""

    table: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def __str__(self) -> str:
        """Return how messages name it."""
        region = f" in {self.region}" if self.region else ""
        endpoint = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"table {self.table}{region}{endpoint}"


def connect(target: Target) -> DynamoDb:
    """Return a DynamoDB client. Raises botocore's errors (unknown profile, no region)."""
    import boto3  # noqa: PLC0415 - a third of a second's CPU with its client, which `--help` must not pay
    from botocore.config import Config  # noqa: PLC0415 - as above

    session = boto3.Session(profile_name=target.profile, region_name=target.region)
    client: DynamoDb = session.client(
        "dynamodb",
        endpoint_url=target.endpoint_url,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            user_agent_extra="recs",
        ),
    )
    return client
