"""Compact indexes hold only parts of items (docs/decisions/0015): fetch what is missing from the table."""

import time
from collections.abc import Callable, Mapping, Sequence
from random import random
from typing import Any, Final

from recommendation_cli.aws.connection import DynamoDb, NotDynamoDbError
from recommendation_cli.aws.errors import AwsError
from recommendation_shared.backoff import full_jitter
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY

Item = Mapping[str, AttributeValue]

FETCHED_KEYS: Final = 100  # in one BatchGetItem (Amazon DynamoDB API reference)
LISTED: Final = frozenset({"incidentId", "executionId", "agentType", "confidence", "metadata", "reasoning", "ttl"})
"""The attributes that lists print."""

# Every whole item has a digest and no compact index does, so a part is recognised without permission to describe it.
_DIGEST: Final = "contentDigest"
_ATTEMPTS: Final = 8  # in a row without progress: 3 s of waiting on average
_FIRST_DELAY: Final = 0.1  # seconds
_MOST_DELAY: Final = 3.2  # seconds


def is_part(item: Item, *, whole: bool) -> bool:
    """Return whether an index holds too little of an item: less than all of it or, unless `whole`, than a list prints.

    Without reasoning, a list prints what is recommended instead, which no compact index holds.
    """
    if _DIGEST in item:
        return False
    return whole or not (item.keys() >= LISTED and item["reasoning"].get("S", "").strip())


def completed(
    client: DynamoDb, table: str, items: Sequence[Item], *, whole: bool, sleep: Callable[[float], None] = time.sleep
) -> list[Item]:
    """Return up to 100 items in the same order, with parts replaced by what the table holds.

    Items that the table no longer holds are left out. Raises `AwsError` if DynamoDB keeps returning unprocessed keys.
    """
    parts = list(dict.fromkeys(item[PARTITION_KEY]["S"] for item in items if is_part(item, whole=whole)))
    if not parts:
        return list(items)
    fetched = _fetch(client, table, [{PARTITION_KEY: {"S": key}} for key in parts], sleep)
    deleted = set(parts) - fetched.keys()  # since the index was read
    keys = [(item[PARTITION_KEY]["S"], item) for item in items]
    return [fetched.get(key, item) for key, item in keys if key not in deleted]


def _fetch(client: DynamoDb, table: str, keys: list[dict[str, Any]], sleep: Callable[[float], None]) -> dict[str, Item]:
    """Read items with strong consistency: to an eventually consistent read, a new item may seem deleted."""
    fetched: dict[str, Item] = {}
    delays = full_jitter(random, base=_FIRST_DELAY, cap=_MOST_DELAY, attempts=_ATTEMPTS)
    while keys:
        answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        if answer.get("Responses") is None:
            raise NotDynamoDbError
        items = [item for items in answer["Responses"].values() for item in items]
        fetched |= {item[PARTITION_KEY]["S"]: item for item in items}
        # Keys are left unprocessed beyond 16 MB, and when the table is throttled.
        keys = [key for unprocessed in (answer.get("UnprocessedKeys") or {}).values() for key in unprocessed["Keys"]]
        if items:
            delays = full_jitter(random, base=_FIRST_DELAY, cap=_MOST_DELAY, attempts=_ATTEMPTS)
        if keys:
            delay = next(delays, None)
            if delay is None:
                raise AwsError(f"The table {table} is throttling reads: try again in a moment, or read less (--limit).")
            sleep(delay)
    return fetched
