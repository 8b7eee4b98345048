"""Compare what was handed over with what is stored: counted by distinct recommendation ID, verified by digest.

Only the demo's own recommendations count, by ID and by execution, whatever else the table holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from infra.local import LocalStack
from infra.local.depth import depth
from recommendation_shared.item.encoding import PARTITION_KEY, item_digest

_KEYS_PER_READ: Final = 100  # BatchGetItem's limit


class Ledger:
    """Reads the table and the queues of a local stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.stored: dict[str, str] = {}  # recommendation ID to digest
        self._dynamodb = stack.client("dynamodb")
        self._sqs = stack.client("sqs")

    def read(self, recommendation_ids: set[str]) -> int:
        """Read those of the IDs that have not been seen yet; return how many are stored in all.

        Raises `ValueError` if an item's content does not match the digest stored with it.
        """
        self.stack.check()
        for item in self._items(sorted(recommendation_ids - self.stored.keys())):
            recommendation_id = item[PARTITION_KEY]["S"]
            if item_digest(item) != item["contentDigest"]["S"]:
                raise ValueError(f"{recommendation_id} is not stored as it was sent: its digest does not match")
            self.stored[recommendation_id] = item["contentDigest"]["S"]
        return len(self.stored)

    def changed(self) -> list[str]:
        """Return the IDs whose stored digest differs from the one first seen."""
        now = {item[PARTITION_KEY]["S"]: item["contentDigest"]["S"] for item in self._items(sorted(self.stored))}
        return [
            recommendation_id
            for recommendation_id, digest in self.stored.items()
            if now.get(recommendation_id) != digest
        ]

    def ids_of(self, execution_ids: Iterable[str]) -> set[str]:
        """Return the IDs of every recommendation that the table holds of these executions."""
        query = self._dynamodb.get_paginator("query")
        return {
            item[PARTITION_KEY]["S"]
            for execution_id in execution_ids
            for page in query.paginate(
                TableName=self.stack.table_name,
                IndexName="executionId-timestamp-index",
                KeyConditionExpression="executionId = :e",
                ExpressionAttributeValues={":e": {"S": execution_id}},
                ProjectionExpression=PARTITION_KEY,
            )
            for item in page["Items"]
        }

    def queued(self) -> int:
        """Return how many messages wait in the queue or are with the consumer."""
        return depth(self._sqs, self.stack.queue_url)

    def dead_lettered(self) -> int:
        """Return how many messages are in the dead-letter queue."""
        return depth(self._sqs, self.stack.dlq_url)

    def _items(self, recommendation_ids: list[str]) -> Iterator[Mapping[str, Any]]:
        table = self.stack.table_name
        while recommendation_ids:
            keys = [{PARTITION_KEY: {"S": each}} for each in recommendation_ids[:_KEYS_PER_READ]]
            answer = self._dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            yield from answer["Responses"].get(table, [])
            unread = [
                key[PARTITION_KEY]["S"] for key in answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            ]
            recommendation_ids = unread + recommendation_ids[_KEYS_PER_READ:]
