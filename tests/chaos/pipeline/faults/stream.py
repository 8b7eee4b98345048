"""The table's stream, which dynalite lacks: images of every item that is written again, edited or deleted."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

from recommendation_shared.item.encoding import PARTITION_KEY
from tests.support.lambdas import stream_event

T = TypeVar("T")
Record = Mapping[str, Any]
Send = Callable[[str, dict[str, Any]], Awaitable[Mapping[str, Any]]]
"""Calls an operation of the table's service with this document, and returns the response's document."""

BY_HAND: Final = "edited by hand"


class TableStream:
    """Sees every write, because all of them pass through here. The mapping's filter leaves insertions out.

    Whatever is written for the first time is an insertion, so only repeated writes cost reading the item before and
    after. `touched` holds the IDs of items that were edited or deleted by hand.
    """

    def __init__(self, send: Send, table: str) -> None:
        self._send = send
        self._table = table
        self._written: dict[str, None] = {}  # IDs in the order of their first write
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._records: deque[Record] = deque()
        self._count = 0
        self.touched: set[str] = set()

    @property
    def written(self) -> list[str]:
        """The IDs of what was written, in order."""
        return list(self._written)

    @property
    def is_empty(self) -> bool:
        """Whether every record has been taken."""
        return not self._records

    def take(self, most: int) -> list[Record]:
        """Return the next records, at most so many."""
        return [self._records.popleft() for _ in range(min(most, len(self._records)))]

    async def observe(self, keys: Collection[str], act: Callable[[], Awaitable[T]]) -> T:
        """Let `act` change the items with these IDs, and record what it changed."""
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self._locks[key])
            before = {key: await self._get(key) for key in keys if key in self._written}
            result = await act()
            self._written.update(dict.fromkeys(keys))
            for key, old in before.items():
                self._record(old, await self._get(key))
            return result

    async def edit(self, key: str) -> None:
        """Change an item as somebody with the console would."""
        await self._by_hand(
            "UpdateItem",
            key,
            UpdateExpression="SET reasoning = :text",
            ExpressionAttributeValues={":text": {"S": BY_HAND}},
        )

    async def delete(self, key: str) -> None:
        """Delete an item."""
        await self._by_hand("DeleteItem", key)

    async def _by_hand(self, operation: str, key: str, **parameters: Any) -> None:
        condition = {"ConditionExpression": f"attribute_exists({PARTITION_KEY})"}
        document = {"TableName": self._table, "Key": {PARTITION_KEY: {"S": key}}, **condition, **parameters}
        self.touched.add(key)
        await self.observe([key], lambda: self._send(operation, document))

    async def _get(self, key: str) -> dict[str, Any] | None:
        document = {"TableName": self._table, "Key": {PARTITION_KEY: {"S": key}}, "ConsistentRead": True}
        return (await self._send("GetItem", document)).get("Item")

    def _record(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        if old is None or old == new:
            return
        self._count += 1
        record = stream_event.deleted(old, self._count) if new is None else stream_event.modified(old, new, self._count)
        self._records.append(record)
