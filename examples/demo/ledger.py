"""What was handed over against what is stored: counted by distinct recommendation, verified by digest."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from infra.local import LocalStack
from recommendation_shared.item.encoding import PARTITION_KEY, item_digest

_KEYS_PER_READ = 100  # of BatchGetItem
_QUEUED = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


class CountingProducer:
    """The producer as the executor sees it, with a record of the distinct IDs that it accepted."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self.accepted: set[str] = set()
        self.refused: list[str] = []

    def enqueue_state(self, state: object) -> Sequence[Any]:
        """Hand over every agent's output; remember what was accepted, and why the rest was not."""
        outcomes: Sequence[Any] = self._producer.enqueue_state(state)
        self.accepted.update(outcome.recommendation_id for outcome in outcomes if outcome.accepted)
        self.refused.extend(str(outcome.reason) for outcome in outcomes if not outcome.accepted)
        return outcomes

    def lambda_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a Lambda handler as the producer does."""
        wrapped: Callable[..., Any] = self._producer.lambda_handler(handler)
        return wrapped


class Ledger:
    """Reads the table and the queues of a local stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.stored: dict[str, str] = {}  # recommendation ID to digest
        self._dynamodb = stack.client("dynamodb")
        self._sqs = stack.client("sqs")

    def look_for(self, recommendation_ids: set[str]) -> int:
        """Read those of the IDs that were not seen before; return how many are stored by now.

        Raises `ValueError` when an item's content does not have the digest that is stored with it.
        """
        self.stack.check()
        for item in self._read(sorted(recommendation_ids - self.stored.keys())):
            recommendation_id = item[PARTITION_KEY]["S"]
            if item_digest(item) != item["contentDigest"]["S"]:
                raise ValueError(f"{recommendation_id} is not stored as it was sent: its digest does not fit")
            self.stored[recommendation_id] = item["contentDigest"]["S"]
        return len(self.stored)

    def changed(self) -> list[str]:
        """Return the IDs whose stored digest is no longer the one seen first."""
        now = {item[PARTITION_KEY]["S"]: item["contentDigest"]["S"] for item in self._read(sorted(self.stored))}
        return [one for one, digest in self.stored.items() if now.get(one) != digest]

    def items_in_table(self) -> int:
        """Count all items of the table, whatever their ID."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self.stack.table_name, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def queued(self) -> int:
        """Return how many messages wait in the queue or are with the consumer."""
        return self._messages(self.stack.queue_url)

    def dead_lettered(self) -> int:
        """Return how many messages are in the dead-letter queue."""
        return self._messages(self.stack.dlq_url)

    def _messages(self, url: str) -> int:
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_QUEUED)["Attributes"]
        return sum(map(int, attributes.values()))

    def _read(self, recommendation_ids: list[str]) -> Iterator[Mapping[str, Any]]:
        table = self.stack.table_name
        while recommendation_ids:
            keys = [{PARTITION_KEY: {"S": one}} for one in recommendation_ids[:_KEYS_PER_READ]]
            answer = self._dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            yield from answer["Responses"].get(table, [])
            unread = [
                key[PARTITION_KEY]["S"] for key in answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            ]
            recommendation_ids = unread + recommendation_ids[_KEYS_PER_READ:]
