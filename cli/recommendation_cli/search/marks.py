"""All marks of a table, and one incident's, for commands that only read."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.table_calls import queried
from recommendation_cli.search.queries import Search, get_item
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.marks import MARKS, Mark, MarkError, mark_key, read_mark


class UnreadableMark(NamedTuple):
    """An item with the key of a mark that is not one; `why` words what is wrong."""

    key: str
    why: str


def find_mark(client: DynamoDb, table: str, incident_id: str) -> Mark | UnreadableMark | None:
    """Return an incident's mark, read with strong consistency, or None."""
    item = get_item(client, table, mark_key(incident_id))
    return None if item is None else _read(item)


def all_marks(client: DynamoDb, table: str) -> Iterator[Mark | UnreadableMark]:
    """Yield all marks, the oldest first, from one query of half a read unit where there are few."""
    parameters = Search("agentType", MARKS, oldest_first=True).parameters()
    for items in queried(client, table, parameters):
        for item in items:
            # A compact index holds only what the consumer needs.
            whole = item if "history" in item else get_item(client, table, item[PARTITION_KEY]["S"])
            if whole is not None:
                yield _read(whole)


def _read(item: Mapping[str, AttributeValue]) -> Mark | UnreadableMark:
    try:
        return read_mark(item)
    except MarkError as error:
        return UnreadableMark(item[PARTITION_KEY]["S"], str(error))
