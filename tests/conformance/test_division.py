"""An engine that enforces DynamoDB's rules accepts the parts into which a long listing is divided."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from recommendation_cli.search.at_once import in_any_order
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Listing, Search
from recommendation_cli.search.several import Batches, one_after_another
from recommendation_shared.envelope.identity import sort_key
from tests.support.fakes.recommendation_table import COMPLETED, Item, create_table, item

_TEXT = "x" * 60_000  # some 17 items make a page
_PERIOD = Period(sort_key(COMPLETED - timedelta(minutes=120)), sort_key(COMPLETED))
_AT_ONCE = 25  # items in one BatchWriteItem (Amazon DynamoDB API reference)


class _Recording:
    """Passes calls on, and keeps the first sort key that each Query asks for."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.get_item, self.batch_get_item = client.get_item, client.batch_get_item
        self.begins: set[str] = set()

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        self.begins.add(parameters["ExpressionAttributeValues"][":since"]["S"])
        answer: Mapping[str, Any] = self._client.query(**parameters)
        return answer


def _items() -> list[Item]:
    """Return 7 MB, of which three items share each moment, a few keys were written by hand, and some lie outside."""
    items = [
        item("a", age=timedelta(minutes=number // 3 * 3 - 1), incident_id=f"incident-{number}", reasoning=_TEXT)
        for number in range(126)
    ]
    for number, stored in enumerate(items[40:100:10]):
        stored["timestamp"] = {"S": stored["timestamp"]["S"][:16] + ("Z", "", ":00Z")[number % 3]}
    return items


def _read(batches: Batches) -> Counter[str]:
    return Counter(document["recommendationId"] for _, batch in batches for document in batch)


@pytest.mark.parametrize("compact", [False, True], ids=["whole items", "compact indexes"])
def test_a_divided_listing_has_what_the_engine_returns_in_order(dynalite: str, compact: bool) -> None:
    """Each part begins at a text with a NUL, and one goes on after a key that lies in its period."""
    dynamodb, table, items = boto3.client("dynamodb", endpoint_url=dynalite), f"divided-{uuid4().hex}", _items()
    create_table(dynamodb, table, compact=compact)
    for start in range(0, len(items), _AT_ONCE):
        puts = [{"PutRequest": {"Item": stored}} for stored in items[start : start + _AT_ONCE]]
        assert not dynamodb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]
    client = _Recording(dynamodb)
    search = Search("agentType", "a", _PERIOD)
    in_order, divided = (Listing(client, table, search, now=None) for _ in range(2))
    expected = _read(one_after_another([in_order]))
    assert client.begins == {_PERIOD.since}
    assert _read(in_any_order([divided])) == expected
    assert len(expected) == sum(_PERIOD.includes(stored["timestamp"]["S"]) for stored in items) < len(items)
    assert len(client.begins) > 1
    assert divided.read == in_order.read
    # A part whose last page is not full is billed for half a unit more.
    assert divided.units <= in_order.units + len(client.begins)
    dynamodb.delete_table(TableName=table)
