"""The table to read, where it is, and the AWS clients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 20
ATTEMPTS: Final = 3  # including the first
CONNECTIONS: Final = 16  # that are kept; a thread that finds none free would open one for each request


class DynamoDb(Protocol):
    """The calls of botocore's client that reading uses."""

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return one page: `Items`, and `LastEvaluatedKey` unless it is the last page."""

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the item as `Item`, which is missing where there is no such key."""

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return up to 100 items under `Responses`, and the keys to request again under `UnprocessedKeys`."""


class WritableDynamoDb(DynamoDb, Protocol):
    """The calls of botocore's client that writing uses."""

    def put_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Store or replace an item, if it meets the condition."""

    def update_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Change attributes of an item, if it meets the condition; without one, create it if it does not exist."""

    def delete_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete an item, if it meets the condition; without one, an item that does not exist is not an error."""


@dataclass(frozen=True)
class Target:
    """A table and where it is; None leaves the choice to AWS's environment variables and configuration."""

    table: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def __str__(self) -> str:
        """Return its name in messages."""
        region = f" in {self.region}" if self.region else ""
        endpoint = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"table {self.table}{region}{endpoint}"


class Location(Protocol):
    """Where a table or a queue is; None leaves the choice to AWS's environment variables and configuration."""

    @property
    def region(self) -> str | None:
        """The AWS region."""

    @property
    def profile(self) -> str | None:
        """The profile from the AWS configuration."""

    @property
    def endpoint_url(self) -> str | None:
        """Another endpoint of the service, such as a local stack's."""


class EndpointError(ValueError):
    """The endpoint given by `--endpoint-url` or the environment is not a URL."""


class NotDynamoDbError(Exception):
    """The endpoint responds, but not as DynamoDB does."""


def connect(target: Target) -> DynamoDb:
    """Return a DynamoDB client. Raises botocore's errors (unknown profile, no region) and `EndpointError`."""
    client: DynamoDb = create_client("dynamodb", target)
    return client


def create_client(service: str, location: Location) -> Any:
    """Return botocore's client for a service. Raises as `connect` does."""
    # Imported here so that `--help` does not pay for it, and not through boto3, which takes another 25 ms of CPU only
    # to pass the call on.
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    from recommendation_cli.aws.quick_answers import parse_quickly
    from recommendation_cli.aws.quick_models import load_quickly
    from recommendation_cli.aws.shared_credentials import share_credentials

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        user_agent_extra="recs",
    )
    try:
        session = Session(profile=location.profile)
        load_quickly(session)
        parse_quickly(session)
        share_credentials(session)
        return session.create_client(
            service, region_name=location.region, endpoint_url=location.endpoint_url, config=config
        )
    except BotoCoreError:  # some are also a ValueError
        raise
    except ValueError as error:
        raise EndpointError(f"{error}: use a URL such as http://127.0.0.1:4566") from None
