"""Compact indexes hold parts of items (docs/decisions/0015): what is missing is fetched from the table."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from recommendation_cli.aws.connection import DynamoDb, NotDynamoDbError
from recommendation_cli.aws.errors import AwsError
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY

Item = Mapping[str, AttributeValue]

FETCHED_KEYS: Final = 100  # of one BatchGetItem (Amazon DynamoDB API reference)
_DIGEST: Final = "contentDigest"  # every whole item has it, and no compact index: so a part is known without a right
LISTED: Final = frozenset({"incidentId", "executionId", "agentType", "confidence", "metadata", "reasoning", "ttl"})
_ATTEMPTS: Final = 8  # that bring nothing, one after another: 6 s of waiting on average
_FIRST_DELAY: Final = 0.1  # seconds, doubled each time
_MOST_DELAY: Final = 3.2


def is_part(item: Item, *, whole: bool) -> bool:
    """Tell whether an index gave too little of an item: less than all of it, or else less than a list prints.

    Where there is no reasoning, a list shows what is recommended instead, which no compact index holds.
    """
    if _DIGEST in item:
        return False
    return whole or not (item.keys() >= LISTED and item["reasoning"].get("S", "").strip())


def completed(
    client: DynamoDb, table: str, items: Sequence[Item], *, whole: bool, sleep: Callable[[float], None] = time.sleep
) -> list[Item]:
    """Return up to 100 items with those that are parts replaced by what the table holds, in the same order.

    What the table no longer holds is left out. Raises `AwsError` when DynamoDB keeps returning keys unprocessed.
    """
    parts = list(dict.fromkeys(item[PARTITION_KEY]["S"] for item in items if is_part(item, whole=whole)))
    if not parts:
        return list(items)
    found = _fetch(client, table, [{PARTITION_KEY: {"S": key}} for key in parts], sleep)
    missing = set(parts) - found.keys()  # deleted after the index was read
    keys = [(item[PARTITION_KEY]["S"], item) for item in items]
    return [found.get(key, item) for key, item in keys if key not in missing]


def _fetch(client: DynamoDb, table: str, keys: list[dict[str, Any]], sleep: Callable[[float], None]) -> dict[str, Item]:
    """Read items consistently: with an eventual read, one that was just written might seem to be deleted."""
    found: dict[str, Item] = {}
    delay, in_vain = _FIRST_DELAY, 0
    while keys:
        answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        if "Responses" not in answer:
            raise NotDynamoDbError
        before = len(found)
        found |= {item[PARTITION_KEY]["S"]: item for items in answer["Responses"].values() for item in items}
        # Beyond 16 MB, or when the table throttles.
        keys = [key for rest in answer.get("UnprocessedKeys", {}).values() for key in rest["Keys"]]
        if len(found) > before:
            delay, in_vain = _FIRST_DELAY, 0
        else:
            delay, in_vain = min(delay * 2, _MOST_DELAY), in_vain + 1
        if keys and in_vain == _ATTEMPTS:
            raise AwsError(f"The table {table} is throttling reads: try again in a moment, or read less (--limit).")
        if keys:
            sleep(random.random() * delay)  # noqa: S311 - full jitter, no secret
    return found
