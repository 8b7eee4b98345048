from collections.abc import Mapping
from typing import Any

import pytest

from recommendation_cli.aws.connection import NotDynamoDbError
from recommendation_cli.aws.errors import AwsError
from recommendation_cli.search.compact_index import FETCHED_KEYS, completed, is_part
from recommendation_cli.search.queries import Listing, Search, pages
from tests.support.fakes.recommendation_table import NOW, TABLE, FakeDynamoDb, Item, item, items, recommendation_id

NOT_PROJECTED = ("recommendation", "citations", "contentDigest", "schemaVersion", "retention")


class CompactIndex(FakeDynamoDb):
    """A table with compact indexes; `unprocessed` says how many keys each BatchGetItem leaves unprocessed."""

    def __init__(self, *pages: list[Item], unprocessed: tuple[int, ...] = ()) -> None:
        super().__init__(*pages)
        self.unprocessed = list(unprocessed)
        self.fetched: list[list[str]] = []
        self.deleted: set[str] = set()

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the next page, reduced to the projected attributes."""
        answer = super().query(**parameters)
        return {**answer, "Items": [part(whole) for whole in answer["Items"]]}

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the items in reverse order, except for unprocessed and deleted ones."""
        ((table, wanted),) = parameters["RequestItems"].items()
        assert wanted["ConsistentRead"] is True
        keys = wanted["Keys"]
        assert 0 < len(keys) <= 100
        self.fetched.append([key["recommendationId"]["S"] for key in keys])
        unprocessed = keys[len(keys) - min(self.unprocessed.pop(0), len(keys)) :] if self.unprocessed else []
        done = [key for key in keys if key not in unprocessed and key["recommendationId"]["S"] not in self.deleted]
        answer = super().batch_get_item(RequestItems={table: {"Keys": done[::-1]}})
        return {**answer, "UnprocessedKeys": {table: {"Keys": unprocessed}} if unprocessed else {}}


def part(whole: Item) -> Item:
    """Return what a compact index holds of an item."""
    return {name: value for name, value in whole.items() if name not in NOT_PROJECTED}


def _ids(table: list[Item]) -> list[str]:
    return list(map(recommendation_id, table))


def test_a_whole_item_is_recognised_by_its_digest() -> None:
    """Reading needs no permission to describe the index."""
    assert not is_part(item(), whole=True)
    assert is_part(part(item()), whole=True)


@pytest.mark.parametrize("missing", ["executionId", "confidence", "metadata", "reasoning", "ttl"])
def test_a_list_needs_only_what_it_prints(missing: str) -> None:
    """An item from a smaller projection that lacks any of it is incomplete."""
    assert not is_part(part(item()), whole=False)
    assert is_part({name: value for name, value in part(item()).items() if name != missing}, whole=False)


def test_a_list_needs_whole_items_where_there_is_no_reasoning() -> None:
    """It then prints what is recommended, which no compact index holds."""
    assert is_part(part(item(reasoning="")), whole=False)
    assert is_part(part(item(reasoning=" \n")), whole=False)


def test_lists_fetch_only_incomplete_items() -> None:
    """Here only the item without reasoning is fetched."""
    table = [item("a"), item("b", reasoning=""), item("c")]
    client = CompactIndex(table)
    shown = list(Listing(client, TABLE, Search("incidentId", "incident-7", whole=False), now=NOW.timestamp()))
    assert [document["agentType"] for document in shown] == ["a", "b", "c"]
    assert client.fetched == [[recommendation_id(table[1])]]


def test_completed_items_keep_the_order_of_the_index() -> None:
    """BatchGetItem returns up to 100 items in any order."""
    table = items(250)
    client = CompactIndex(table[:210], table[210:])
    read = list(pages(client, TABLE, Search("incidentId", "incident-7")))
    assert [whole for page in read for whole in page.items] == table
    assert [len(keys) for keys in client.fetched] == [100, 100, 10, 40]


def test_each_piece_of_a_page_says_where_the_next_one_starts() -> None:
    """A piece has the key of its last item, the final piece the key that DynamoDB returned."""
    table = items(110)
    pieces = list(pages(CompactIndex(table, table[:1]), TABLE, Search("incidentId", "incident-7")))
    last = table[FETCHED_KEYS - 1]
    key = {name: last[name] for name in ("recommendationId", "incidentId", "timestamp")}
    assert [piece.last for piece in pieces] == [key, {"page": 1}, None]


def test_a_limit_fetches_only_one_piece() -> None:
    """A list of two does not fetch a page of a thousand items."""
    client = CompactIndex(items(1000))
    assert len(list(Listing(client, TABLE, Search("incidentId", "i", limit=2), now=None))) == 2
    assert len(client.fetched) == 1


def test_unprocessed_keys_are_retried_after_a_delay() -> None:
    """The delays start again from the shortest after any progress."""
    table = items(5)
    client = CompactIndex(table, unprocessed=(2, 2, 1))
    slept: list[float] = []
    assert completed(client, TABLE, list(map(part, table)), whole=True, sleep=slept.append) == table
    ids = _ids(table)
    assert client.fetched == [ids, ids[3:], ids[3:], ids[4:]]
    assert len(slept) == 3
    assert all(0 <= delay <= 0.2 for delay in slept)


def test_keys_that_stay_unprocessed_are_an_error_with_a_remedy() -> None:
    """Retrying ends after eight attempts; delays grow to 3.2 s."""
    table = items(2)
    slept: list[float] = []
    with pytest.raises(AwsError, match="throttling reads: try again in a moment"):
        completed(CompactIndex(table, unprocessed=(2,) * 9), TABLE, [part(table[0])], whole=True, sleep=slept.append)
    assert len(slept) == 7
    assert max(slept) <= 3.2


def test_an_item_deleted_meanwhile_is_left_out() -> None:
    """The index still shows it, but the table no longer holds it."""
    table = items(3)
    client = CompactIndex(table)
    client.deleted = {recommendation_id(table[1])}
    assert completed(client, TABLE, list(map(part, table)), whole=True) == [table[0], table[2]]


def test_an_answer_without_responses_is_not_dynamodb() -> None:
    """No item is taken for deleted because some other service answered."""

    class Other(CompactIndex):
        def batch_get_item(self, **_parameters: Any) -> Mapping[str, Any]:
            return {}

    with pytest.raises(NotDynamoDbError):
        completed(Other(), TABLE, [part(item())], whole=True)
