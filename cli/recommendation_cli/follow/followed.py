"""What can be followed, and which failures of a poll pass by themselves."""

from typing import Final

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.follow.follower import Followed
from recommendation_cli.search.agent_types import agent_types
from recommendation_shared.aws_errors import error_code, is_throttling, is_transient

INTERVAL: Final = 1.0  # seconds between two polls
_HORIZON: Final = 86_400.0  # seconds; what is stored up to a day after its agent completed is seen
_REGISTER_UNITS: Final = 0.5  # an eventually consistent query of up to 4 KB, which is 40 unusual agent types


def one_incident(incident_id: str) -> Followed:
    """Return the search for an incident, all of which is followed."""
    return Followed(lambda: (("incidentId", incident_id),), horizon=None)


def every_agent(client: DynamoDb, table: str) -> Followed:
    """Return the searches for every agent; the register is read for each poll, so that a new agent is not late."""
    return Followed(
        lambda: [("agentType", agent) for agent in agent_types(client, table)], _HORIZON, units=_REGISTER_UNITS
    )


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
