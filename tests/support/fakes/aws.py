"""A table, a dead-letter queue and a clock, without network or waiting."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from recommendation_consumer.writer import Effects

TABLE = "recommendations"
Answer = Callable[[dict[str, Any]], Mapping[str, Any]]


def client_error(code: str, status: int = 400) -> ClientError:
    """Make the error that a client raises for an AWS error code. Its message quotes the input, as DynamoDB's does."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": "a-secret-value is wrong"},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "BatchWriteItem",
    )


class Clock:
    """A clock that only sleeping moves. The wall clock begins a second after `lambda_event.COMPLETED`."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return seconds."""
        return self.now

    def wall(self) -> float:
        """Return epoch seconds."""
        return 1_769_860_801.0 + self.now - 1_000.0

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FakeTable:
    """BatchWriteItem as DynamoDB has it: its limits hold, and one invalid item refuses the whole request.

    `answers` are taken in order, one a request, before that: an exception is raised, an int is how many items come
    back unprocessed, `"hang"` never answers. `last`, if set, answers when they are used up.
    """

    def __init__(self, *answers: Any, last: Any = 0, invalid: Collection[str] = ()) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.requests: list[list[str]] = []
        self.guarded: list[str] = []  # IDs of the items that were put one by one
        self.invalid = set(invalid)
        self._answers = list(answers)
        self._last = last

    async def batch_write(self, ready: bytes) -> Mapping[str, Any]:
        """Answer a BatchWriteItem request."""
        assert len(ready) <= 16 * 1024 * 1024
        ((table, puts),) = json.loads(ready)["RequestItems"].items()
        items = {put["PutRequest"]["Item"]["recommendationId"]["S"]: put["PutRequest"]["Item"] for put in puts}
        assert table == TABLE
        assert len(puts) == len(items) <= 25
        self.requests.append(list(items))
        await asyncio.sleep(0)
        return await self._answer(puts, items)

    async def put_item(self, ready: bytes) -> Mapping[str, Any]:
        """Answer a PutItem request with the writer's condition."""
        request = json.loads(ready)
        item, digest = request["Item"], request["ExpressionAttributeValues"][":digest"]
        assert request["TableName"] == TABLE
        assert request["ConditionExpression"] == ("attribute_not_exists(recommendationId) OR contentDigest = :digest")
        key = item["recommendationId"]["S"]
        self.guarded.append(key)
        await asyncio.sleep(0)
        held = self.items.get(key)
        if held is not None and held["contentDigest"] != digest:
            raise client_error("ConditionalCheckFailedException")
        answer = await self._answer([{"PutRequest": {"Item": item}}], {key: item})
        if answer["UnprocessedItems"]:  # a lone put is throttled instead
            raise client_error("ThrottlingException")
        return {"ConsumedCapacity": {"TableName": TABLE, "CapacityUnits": 1.0}}

    async def _answer(self, puts: Sequence[Any], items: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self._answers.pop(0) if self._answers else self._last
        if answer == "hang":
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        if self.invalid & items.keys():
            raise client_error("ValidationException")
        unprocessed = puts[len(puts) - min(answer, len(puts)) :]
        back = {put["PutRequest"]["Item"]["recommendationId"]["S"] for put in unprocessed}
        self.items.update((key, item) for key, item in items.items() if key not in back)
        return {"UnprocessedItems": {TABLE: unprocessed} if unprocessed else {}}


class FakeDeadLetterQueue:
    """SendMessageBatch as SQS has it. `refuse` holds bodies that come back under `Failed`."""

    def __init__(self, error: Exception | str | None = None, refuse: Collection[str] = ()) -> None:
        self.messages: list[dict[str, Any]] = []
        self.requests: list[int] = []
        self._error = error
        self._refuse = refuse

    async def send_batch(self, entries: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
        """Answer a SendMessageBatch request."""
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        self.requests.append(len(entries))
        await asyncio.sleep(0)
        if self._error == "hang":
            await asyncio.Event().wait()
        if isinstance(self._error, Exception):
            raise self._error
        refused = [entry for entry in entries if entry["MessageBody"] in self._refuse]
        taken = [entry for entry in entries if entry not in refused]
        self.messages += taken
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in refused]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken], **({"Failed": failed} if failed else {})}

    def attributes(self) -> list[dict[str, str]]:
        """Return the attributes of each message."""
        return [
            {name: attribute["StringValue"] for name, attribute in message["MessageAttributes"].items()}
            for message in self.messages
        ]


def effects(table: FakeTable, clock: Clock, delays: Callable[[], Iterator[float]] | None = None) -> Effects:
    """Return a writer's outside world; by default each delay between retries is one second."""
    return Effects(table.batch_write, clock.monotonic, clock.wall, clock.sleep, delays or _one_second, table.put_item)


def _one_second() -> Iterator[float]:
    while True:
        yield 1.0
