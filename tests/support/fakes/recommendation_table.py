"""Items as the consumer writes them, and tables that hold them: in memory, or on a DynamoDB server."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recommendation_cli.runtime import Runtime
from recommendation_shared.envelope import Envelope
from recommendation_shared.item.agent_types import REGISTER
from recommendation_shared.item.encoding import PARTITION_KEY, encode_item
from recommendation_shared.item.marks import MARKS
from tests.support.fakes.reviews_table import REVIEWS_TABLE, FakeReviewsTable

Item = dict[str, Any]
"""An item as DynamoDB JSON."""

COMPLETED = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
NOW = COMPLETED + timedelta(days=1)
TABLE = "opx-agent-recommendations"


def item(agent_type: str = "consensus", age: timedelta = timedelta(), **fields: Any) -> Item:
    """Return an item that an agent completed `age` before `COMPLETED`."""
    envelope = Envelope.create(
        **{
            "incident_id": "incident-7",
            "execution_id": "execution-1",
            "agent_type": agent_type,
            "timestamp": COMPLETED - age,
            "recommendation": {"recommended_action": "roll back"},
            "confidence": 0.87,
            "reasoning": "The deploy came first.\nThen the errors.",
            "metadata": {"status": "SUCCESS"},
            **fields,
        }
    )
    stored: Item = json.loads(encode_item(envelope.to_fields()).body)
    return stored


def items(count: int, **fields: Any) -> list[Item]:
    """Return items a second apart, newest first."""
    return [item(age=timedelta(seconds=number), **fields) for number in range(count)]


def recommendation_id(stored: Item) -> str:
    """Return the key of an item."""
    key: str = stored[PARTITION_KEY]["S"]
    return key


class FakeDynamoDb:
    """Answers Query, GetItem and BatchGetItem from prepared pages; an exception in place of a page is raised.

    The table of reviews beside it is `reviews`, which is empty at first.
    """

    def __init__(self, *pages: Sequence[Item] | Exception, reviews: FakeReviewsTable | None = None) -> None:
        self.pages = list(pages)
        self.reviews = reviews or FakeReviewsTable()
        self.queries: list[dict[str, Any]] = []

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the next page, whatever the parameters are."""
        if parameters["TableName"].startswith(REVIEWS_TABLE):
            return self.reviews.query(**parameters)
        self.queries.append(parameters)
        if parameters["ExpressionAttributeValues"][":key"]["S"] in (REGISTER, MARKS):  # which are empty
            return {"Items": []}
        number = parameters.get("ExclusiveStartKey", {"page": 0})["page"]
        page = self.pages[number]
        if isinstance(page, Exception):
            raise page
        last = number == len(self.pages) - 1
        return {"Items": page} if last else {"Items": page, "LastEvaluatedKey": {"page": number + 1}}

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the item with that key from any page."""
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            for stored in page:
                if stored[PARTITION_KEY] == parameters["Key"][PARTITION_KEY]:
                    return {"Item": stored}
        return {}

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the items that are on any page."""
        ((table, request),) = parameters["RequestItems"].items()
        items = [self.get_item(Key=key).get("Item") for key in request["Keys"]]
        return {"Responses": {table: [stored for stored in items if stored is not None]}, "UnprocessedKeys": {}}


def runtime(client: FakeDynamoDb, environ: Mapping[str, str] | None = None) -> Runtime:
    """Return a runtime in which it is `NOW`, every table is `client`, and the user's zone is UTC."""
    return Runtime(now=NOW.timestamp, environ=environ or {}, connect=lambda _target: client, localise=_utc)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class IndexedDynamoDb(FakeDynamoDb):
    """Answers Query as an index would, on one page: by key, period, order, limit and projection."""

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return what the index holds for these parameters."""
        if parameters["TableName"].startswith(REVIEWS_TABLE):
            return self.reviews.query(**parameters)
        self.queries.append(parameters)
        names, values = parameters["ExpressionAttributeNames"], parameters["ExpressionAttributeValues"]
        since, until = values.get(":since", {"S": ""})["S"], values.get(":until", {"S": "~"})["S"]
        items = [
            stored
            for page in self.pages
            if not isinstance(page, Exception)
            for stored in page
            if stored.get(names["#key"]) == values[":key"] and since <= stored["timestamp"]["S"] <= until
        ]
        items.sort(key=lambda stored: str(stored["timestamp"]["S"]), reverse=not parameters["ScanIndexForward"])
        items = items[: parameters.get("Limit")]
        projected = parameters.get("ProjectionExpression")
        if projected is not None:
            paths = [[names[part] for part in path.split(".")] for path in projected.split(", ")]
            items = [_projected(stored, paths) for stored in items]
        return {"Items": items}


def _projected(stored: Item, paths: list[list[str]]) -> Item:
    result: Item = {}
    for *parents, name in paths:
        source, target = stored, result
        for parent in parents:
            source = source.get(parent, {}).get("M", {})
        if name in source:
            for parent in parents:
                target = target.setdefault(parent, {"M": {}})["M"]
            target[name] = source[name]
    return result


def create_table(client: Any, table: str, *, compact: bool = False) -> None:
    """Create a table with the real one's keys and indexes, which may be compact (docs/decisions/0015)."""
    hashes = ("incidentId", "agentType", "executionId")
    included = {*hashes, "confidence", "reasoning", "metadata", "ttl"}
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in (PARTITION_KEY, *hashes, "timestamp")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": f"{name}-timestamp-index",
                "KeySchema": [
                    {"AttributeName": name, "KeyType": "HASH"},
                    {"AttributeName": "timestamp", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": sorted(included - {name})}
                if compact
                else {"ProjectionType": "ALL"},
            }
            for name in hashes
        ],
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})


def put(client: Any, table: str, items: Iterable[Item]) -> None:
    """Store items one by one."""
    for stored in items:
        client.put_item(TableName=table, Item=stored)
