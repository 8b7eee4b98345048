"""All agent types in the table: the usual ones, and those that the consumer registered (docs/decisions/0021)."""

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.table_calls import queried
from recommendation_cli.search.queries import Search
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.item.agent_types import REGISTER, registered_type


def agent_types(client: DynamoDb, table: str) -> tuple[str, ...]:
    """Return the usual types, then the registered ones by name, from one query of half a read unit."""
    parameters = Search("agentType", REGISTER, oldest_first=True).parameters()
    types = list(KNOWN_AGENT_TYPES)
    for items in queried(client, table, parameters):
        types += map(registered_type, items)
    return tuple(dict.fromkeys(types))
