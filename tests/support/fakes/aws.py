"""The consumer's outside world without network or waiting: a table, a dead-letter queue and a clock."""

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from itertools import repeat
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from recommendation_consumer.dependencies import Dependencies
from recommendation_shared import limits
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.settings import Settings

TABLE = "recommendations"
Answer = Callable[[dict[str, Any]], Mapping[str, Any]]


def client_error(code: str, status: int = 400) -> ClientError:
    """Return the error that a client raises for an AWS error code. Its message quotes the input, as DynamoDB's does."""
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
    """A clock that only sleeping advances. Wall time starts a second after `tests.support.lambdas.event.COMPLETED`."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def wall(self) -> float:
        """Return epoch seconds."""
        return 1_769_860_801.0 + self.now - 1_000.0

    async def sleep(self, seconds: float) -> None:
        """Advance the clock without waiting."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FakeTable:
    """BatchWriteItem and PutItem with DynamoDB's limits; one invalid item fails its whole request.

    Each request takes the next of `answers`, and then always `last`: an exception is raised, an int is the number of
    items returned as unprocessed, and `"hang"` never responds. `invalid` are the IDs of invalid items. `checks` counts
    the requests that write nothing whatever the answer.
    """

    def __init__(self, *answers: Any, last: Any = 0, invalid: Collection[str] = ()) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.requests: list[list[str]] = []
        self.guarded: list[str] = []  # IDs of the items written by PutItem, with its condition
        self.checks = 0
        self.marks_read = 0
        self.invalid = set(invalid)
        self._answers = list(answers)
        self._last = last

    async def batch_write(self, ready: bytes) -> Mapping[str, Any]:
        """Respond to a BatchWriteItem request."""
        assert len(ready) <= limits.BATCH_WRITE_BYTES
        ((table, puts),) = json.loads(ready)["RequestItems"].items()
        items = {put["PutRequest"]["Item"]["recommendationId"]["S"]: put["PutRequest"]["Item"] for put in puts}
        assert table == TABLE
        assert len(puts) == len(items) <= limits.BATCH_WRITE_KEYS
        self.requests.append(list(items))
        await asyncio.sleep(0)
        return await self._answer(puts, items)

    async def put_item(self, ready: bytes) -> Mapping[str, Any]:
        """Respond to a PutItem request, which must have the writer's condition or the table check's."""
        request = json.loads(ready)
        if request["ConditionExpression"] == "attribute_exists(recommendationId)":
            self.checks += 1
            await self._answer([], {})
            assert request["Item"]["recommendationId"]["S"] not in self.items
            raise client_error("ConditionalCheckFailedException")
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
        if answer["UnprocessedItems"]:  # PutItem has no unprocessed items; it is throttled instead
            raise client_error("ThrottlingException")
        return {"ConsumedCapacity": {"TableName": TABLE, "CapacityUnits": 1.0}}

    async def query(self, ready: bytes) -> Mapping[str, Any]:
        """Respond to the Query for incident marks, with pages of one item; `marks_read` counts them."""
        request = json.loads(ready)
        assert request["TableName"] == TABLE
        assert request["IndexName"] == "agentType-timestamp-index"
        self.marks_read += 1
        await asyncio.sleep(0)
        wanted = request["ExpressionAttributeValues"][":marks"]
        keys = sorted(key for key, item in self.items.items() if item["agentType"] == wanted)
        after = request["ExclusiveStartKey"]["recommendationId"]["S"] if request.get("ExclusiveStartKey") else ""
        keys = [key for key in keys if key > after]
        names = [request["ExpressionAttributeNames"][name] for name in request["ProjectionExpression"].split(", ")]
        answer = {"Items": [{name: self.items[key][name] for name in names} for key in keys[:1]]}
        last = {"LastEvaluatedKey": {"recommendationId": {"S": keys[0]}}} if len(keys) > 1 else {}
        return {**answer, **last}

    async def _answer(self, puts: Sequence[Any], items: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self._answers.pop(0) if self._answers else self._last
        if answer == "hang":
            await asyncio.Event().wait()
        if isinstance(answer, BaseException):
            raise answer
        if self.invalid & items.keys():
            raise client_error("ValidationException")
        unprocessed = puts[len(puts) - min(answer, len(puts)) :]
        back = {put["PutRequest"]["Item"]["recommendationId"]["S"] for put in unprocessed}
        self.items.update((key, item) for key, item in items.items() if key not in back)
        return {"UnprocessedItems": {TABLE: unprocessed} if unprocessed else {}}


class FakeDeadLetterQueue:
    """SendMessageBatch with SQS's limits. Bodies in `refuse` are returned under `Failed`."""

    def __init__(self, error: Exception | str | None = None, refuse: Collection[str] = ()) -> None:
        self.messages: list[Mapping[str, Any]] = []
        self.requests: list[int] = []
        self._error = error
        self._refuse = refuse

    async def send_batch(self, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Respond to a SendMessageBatch request."""
        assert 1 <= len(entries) <= limits.SQS_BATCH_ENTRIES
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
        """Return the message attributes of each message."""
        return [
            {name: attribute["StringValue"] for name, attribute in message["MessageAttributes"].items()}
            for message in self.messages
        ]


def dependencies(
    table: FakeTable | None = None,
    clock: Clock | None = None,
    queue: FakeDeadLetterQueue | None = None,
    **changes: Any,
) -> Dependencies:
    """Return what an invocation uses; each delay between retries is one second. `changes` replace single fields."""
    table, clock, queue = table or FakeTable(), clock or Clock(), queue or FakeDeadLetterQueue()
    fakes = Dependencies(
        settings=Settings.from_env({"RECOMMENDATIONS_TABLE": TABLE}),
        logger=Logger(service="consumer-test", stream=StringIO(), level="CRITICAL"),
        batch_write=table.batch_write,
        put_item=table.put_item,
        query=table.query,
        send_dead_letters=queue.send_batch,
        monotonic=clock.monotonic,
        wall=clock.wall,
        sleep=clock.sleep,
        delays=lambda: repeat(1.0),
        # Those of `event.bodies` and of single tests.
        registered_types={
            *KNOWN_AGENT_TYPES,
            *(f"agent-{number}" for number in range(1_001)),
            "a",
            "b",
            "late",
            "other",
        },
        max_agent_types=2_000,
    )
    return replace(fakes, **changes)
