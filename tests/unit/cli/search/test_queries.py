from datetime import timedelta
from typing import Any

import pytest

from recommendation_cli.aws.connection import NotDynamoDbError
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Listing, Search, get_item, is_expired
from tests.support.fakes.recommendation_table import NOW, TABLE, FakeDynamoDb, Item, item, items, recommendation_id

SEARCH = Search("incidentId", "incident-7")


def _listing(client: FakeDynamoDb, search: Search = SEARCH, now: float | None = NOW.timestamp()) -> Listing:
    return Listing(client, TABLE, search, now=now)


def _ids(table: list[Item]) -> list[str]:
    return list(map(recommendation_id, table))


def test_pages_are_followed_to_the_end() -> None:
    """An empty page is not the end; DynamoDB says where to continue."""
    table = items(5)
    client = FakeDynamoDb(table[:2], [], table[2:4], table[4:])
    listing = _listing(client)
    assert [document["recommendationId"] for document in listing] == _ids(table)
    assert [query.get("ExclusiveStartKey") for query in client.queries] == [
        None,
        {"page": 1},
        {"page": 2},
        {"page": 3},
    ]
    assert (listing.shown, listing.expired, listing.cut_off) == (5, 0, False)


def test_an_answer_without_items_is_an_error() -> None:
    """Some other service answered, so "nothing found" would be wrong."""

    class Other(FakeDynamoDb):
        def query(self, **_parameters: Any) -> dict[str, Any]:
            return {}

    with pytest.raises(NotDynamoDbError):
        list(_listing(Other()))


def test_the_index_is_read_from_its_newest_end() -> None:
    """The query uses the index of the key; nothing is scanned."""
    client = FakeDynamoDb([])
    list(_listing(client))
    assert client.queries == [
        {
            "TableName": TABLE,
            "IndexName": "incidentId-timestamp-index",
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": "incidentId"},
            "ExpressionAttributeValues": {":key": {"S": "incident-7"}},
            "ScanIndexForward": False,
            "ReturnConsumedCapacity": "TOTAL",
        }
    ]


@pytest.mark.parametrize(
    ("period", "condition"),
    [
        (Period("a", None), "#sort >= :since"),
        (Period(None, "z"), "#sort <= :until"),
        (Period("a", "z"), "#sort BETWEEN :since AND :until"),
    ],
)
def test_a_period_is_part_of_the_key_condition(period: Period, condition: str) -> None:
    """DynamoDB neither reads nor bills items outside the period."""
    parameters: dict[str, Any] = Search("agentType", "consensus", period=period).parameters()
    assert parameters["KeyConditionExpression"] == f"#key = :key AND {condition}"
    bounds = {":since": period.since, ":until": period.until}
    expected = {name: {"S": bound} for name, bound in bounds.items() if bound}
    assert parameters["ExpressionAttributeValues"] == {":key": {"S": "consensus"}, **expected}
    assert parameters["ExpressionAttributeNames"] == {"#key": "agentType", "#sort": "timestamp"}


def test_expired_items_are_hidden_and_counted() -> None:
    """An item expires in the second of its ttl, as in DynamoDB; without a ttl it never does."""
    expiring = item("a", retention=1)
    assert is_expired(expiring, NOW.timestamp())
    assert not is_expired(expiring, NOW.timestamp() - 1)
    permanent = item("b", age=timedelta(days=5000), retention=None)
    listing = _listing(FakeDynamoDb([expiring, permanent]))
    assert [document["agentType"] for document in listing] == ["b"]
    assert (listing.shown, listing.expired) == (1, 1)


def test_expired_items_are_shown_on_request() -> None:
    """They are visible until DynamoDB deletes them."""
    listing = _listing(FakeDynamoDb([item(retention=1)]), now=None)
    assert len(list(listing)) == 1
    assert listing.expired == 0


def test_a_ttl_that_is_not_a_number_never_expires() -> None:
    """DynamoDB ignores such a ttl too."""
    assert not is_expired({"ttl": {"S": "1"}}, NOW.timestamp())


def test_the_limit_counts_what_is_shown() -> None:
    """Expired items do not count, and reading stops once it is known whether there are more."""
    table = items(4)
    expired = item("old", age=timedelta(days=200))
    client = FakeDynamoDb([table[0], expired], table[1:3], table[3:])
    listing = _listing(client, Search("incidentId", "incident-7", limit=2))
    assert [document["recommendationId"] for document in listing] == _ids(table[:2])
    assert listing.cut_off
    assert [query["Limit"] for query in client.queries] == [3, 3]


def test_a_limit_that_fits_exactly_cuts_nothing_off() -> None:
    """The list does not claim that there are older items."""
    listing = _listing(FakeDynamoDb(items(2)), Search("incidentId", "incident-7", limit=2))
    assert len(list(listing)) == 2
    assert not listing.cut_off


def test_a_single_item_is_read_by_its_key() -> None:
    """A missing item is None."""
    stored = item()
    assert get_item(FakeDynamoDb([stored]), TABLE, recommendation_id(stored)) == stored
    assert get_item(FakeDynamoDb([stored]), TABLE, "rec-other") is None
