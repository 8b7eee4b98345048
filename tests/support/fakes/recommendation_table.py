"""What readers find: items as the consumer writes them, in a table with its indexes or in memory."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recommendation_cli.runtime import Runtime
from recommendation_shared.envelope import Envelope
from recommendation_shared.item.encoding import PARTITION_KEY, encode_item

Item = dict[str, Any]  # in DynamoDB JSON

COMPLETED = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
NOW = COMPLETED + timedelta(days=1)
TABLE = "opx-agent-recommendations"


def item(agent_type: str = "consensus", age: timedelta = timedelta(), **fields: Any) -> Item:
    """Make an item that an agent completed `age` before `COMPLETED`."""
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
    made: Item = json.loads(encode_item(envelope.to_fields()).body)
    return made


def items(count: int, **fields: Any) -> list[Item]:
    """Make items a second apart, newest first."""
    return [item(age=timedelta(seconds=number), **fields) for number in range(count)]


def recommendation_id(made: Item) -> str:
    """Return the key of an item."""
    key: str = made[PARTITION_KEY]["S"]
    return key


class FakeDynamoDb:
    """Query, GetItem and BatchGetItem over prepared pages; an exception among the pages is raised in its turn."""

    def __init__(self, *pages: Sequence[Item] | Exception) -> None:
        self.pages = list(pages)
        self.queries: list[dict[str, Any]] = []

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the next page, whatever is asked for."""
        self.queries.append(parameters)
        number = parameters.get("ExclusiveStartKey", {"page": 0})["page"]
        page = self.pages[number]
        if isinstance(page, Exception):
            raise page
        last = number == len(self.pages) - 1
        return {"Items": page} if last else {"Items": page, "LastEvaluatedKey": {"page": number + 1}}

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the item of that key from any page."""
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            for made in page:
                if made[PARTITION_KEY] == parameters["Key"][PARTITION_KEY]:
                    return {"Item": made}
        return {}

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return those items that are on any page."""
        ((table, wanted),) = parameters["RequestItems"].items()
        found = [self.get_item(Key=key).get("Item") for key in wanted["Keys"]]
        return {"Responses": {table: [made for made in found if made is not None]}, "UnprocessedKeys": {}}


def runtime(client: FakeDynamoDb, environ: Mapping[str, str] | None = None) -> Runtime:
    """Return a world in which it is `NOW`, every table is `client`, and the user's zone is UTC."""
    return Runtime(now=NOW.timestamp, environ=environ or {}, connect=lambda _target: client, localise=_utc)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class IndexedDynamoDb(FakeDynamoDb):
    """Answers Query by the key, the period, the order, the limit and the projection that are asked for, on one page."""

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return what the index holds."""
        self.queries.append(parameters)
        names, values = parameters["ExpressionAttributeNames"], parameters["ExpressionAttributeValues"]
        found = [
            made
            for page in self.pages
            if not isinstance(page, Exception)
            for made in page
            if made[names["#key"]] == values[":key"]
            and values.get(":since", {"S": ""})["S"] <= made["timestamp"]["S"] <= values.get(":until", {"S": "~"})["S"]
        ]
        found.sort(key=lambda made: str(made["timestamp"]["S"]), reverse=not parameters["ScanIndexForward"])
        found = found[: parameters.get("Limit")]
        wanted = parameters.get("ProjectionExpression")
        return {"Items": found if wanted is None else [{names[wanted]: made[names[wanted]]} for made in found]}


def create_table(client: Any, table: str, *, compact: bool = False) -> None:
    """Create a table with the keys and indexes of the real one, which may be compact (docs/decisions/0015)."""
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


def put(client: Any, table: str, made: Iterable[Item]) -> None:
    """Store items one by one."""
    for one in made:
        client.put_item(TableName=table, Item=one)
