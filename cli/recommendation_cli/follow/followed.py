"""What can be followed, and which failures of a poll pass by themselves."""

from collections.abc import Callable, Sequence
from typing import Final

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.follow.follower import Followed
from recommendation_cli.search.agent_types import agent_types
from recommendation_shared.aws_errors import error_code, is_throttling, is_transient

INTERVAL: Final = 1.0  # seconds between two polls
_HORIZON: Final = 86_400.0  # seconds; what is stored up to a day after its agent completed is seen
_TYPES_SECONDS: Final = 15.0  # after which the register of agent types is read again


def one_incident(incident_id: str) -> Followed:
    """Return the search for an incident, all of which is followed."""
    return Followed(lambda: (("incidentId", incident_id),), horizon=None)


def every_agent(client: DynamoDb, table: str, monotonic: Callable[[], float]) -> Followed:
    """Return the searches for every agent, which new agents join while following."""
    types: tuple[str, ...] = ()
    due = 0.0

    def keys() -> Sequence[tuple[str, str]]:
        nonlocal types, due
        if monotonic() >= due:
            types = agent_types(client, table)
            due = monotonic() + _TYPES_SECONDS
        return [("agentType", agent) for agent in types]

    return Followed(keys, _HORIZON)


def passing_failure(error: Exception) -> str | None:
    """Return the name of a failure that is worth another poll: throttling, or a lost connection; None for any other."""
    from botocore import exceptions as aws

    match error:
        case aws.ConnectionError() | aws.HTTPClientError():
            return type(error).__name__
        case aws.ClientError() if is_throttling(error) or is_transient(error):
            return error_code(error)
        case _:
            return None
