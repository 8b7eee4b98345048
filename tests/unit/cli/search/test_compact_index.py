"""Items that an index held in part are fetched from the table, and nothing else is."""

from collections.abc import Mapping
from typing import Any

import pytest

from recommendation_cli.aws.connection import NotDynamoDbError
from recommendation_cli.aws.errors import AwsError
from recommendation_cli.search.compact_index import FETCHED_KEYS, completed, is_part
from recommendation_cli.search.queries import Listing, Search, pages
from tests.support.fakes.recommendation_table import NOW, TABLE, FakeDynamoDb, Item, item, items, recommendation_id

LEFT_OUT = ("recommendation", "citations", "contentDigest", "schemaVersion", "retention")


class CompactIndex(FakeDynamoDb):
    """A table whose index leaves out what compact indexes leave out; `unprocessed` are counts of keys, call by call."""

    def __init__(self, *pages: list[Item], unprocessed: tuple[int, ...] = ()) -> None:
        super().__init__(*pages)
        self.unprocessed = list(unprocessed)
        self.fetched: list[list[str]] = []
        self.deleted: set[str] = set()

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the parts of the next page's items."""
        answer = super().query(**parameters)
        return {**answer, "Items": [part(made) for made in answer["Items"]]}

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the items in the reverse order, all but the unprocessed and the deleted ones."""
        ((table, wanted),) = parameters["RequestItems"].items()
        assert wanted["ConsistentRead"] is True
        keys = wanted["Keys"]
        assert 0 < len(keys) <= 100
        self.fetched.append([key["recommendationId"]["S"] for key in keys])
        left = keys[len(keys) - min(self.unprocessed.pop(0), len(keys)) :] if self.unprocessed else []
        done = [key for key in keys if key not in left and key["recommendationId"]["S"] not in self.deleted]
        answer = super().batch_get_item(RequestItems={table: {"Keys": done[::-1]}})
        return {**answer, "UnprocessedKeys": {table: {"Keys": left, "ConsistentRead": True}} if left else {}}


def part(made: Item) -> Item:
    """Return what a compact index has of an item."""
    return {name: value for name, value in made.items() if name not in LEFT_OUT}


def _ids(made: list[Item]) -> list[str]:
    return [recommendation_id(one) for one in made]


def test_a_whole_item_is_known_by_its_digest() -> None:
    """So no right to look at the index's description is needed."""
    assert not is_part(item(), whole=True)
    assert is_part(part(item()), whole=True)


@pytest.mark.parametrize("missing", ["executionId", "confidence", "metadata", "reasoning", "ttl"])
def test_a_list_needs_no_more_than_it_prints(missing: str) -> None:
    """Whatever of that another projection leaves out is fetched."""
    assert not is_part(part(item()), whole=False)
    assert is_part({name: value for name, value in part(item()).items() if name != missing}, whole=False)


def test_without_reasoning_a_list_shows_what_is_recommended() -> None:
    """Which no compact index holds."""
    assert is_part(part(item(reasoning="")), whole=False)
    assert is_part(part(item(reasoning=" \n")), whole=False)


def test_lists_fetch_only_what_they_lack() -> None:
    """One of three here."""
    made = [item("a"), item("b", reasoning=""), item("c")]
    client = CompactIndex(made)
    shown = list(Listing(client, TABLE, Search("incidentId", "incident-7", whole=False), now=NOW.timestamp()))
    assert [document["agentType"] for document in shown] == ["a", "b", "c"]
    assert client.fetched == [[recommendation_id(made[1])]]


def test_whole_documents_come_in_the_order_of_the_index() -> None:
    """BatchGetItem returns them in any order, a hundred at most."""
    made = items(250)
    client = CompactIndex(made[:210], made[210:])
    found = list(pages(client, TABLE, Search("incidentId", "incident-7")))
    assert [one for page in found for one in page.items] == made
    assert [len(keys) for keys in client.fetched] == [100, 100, 10, 40]


def test_each_piece_of_a_page_tells_where_to_go_on() -> None:
    """By the key of its last item in the index; the last piece by the key that DynamoDB gave."""
    made = items(110)
    pieces = list(pages(CompactIndex(made, made[:1]), TABLE, Search("incidentId", "incident-7")))
    last = made[FETCHED_KEYS - 1]
    key = {name: last[name] for name in ("recommendationId", "incidentId", "timestamp")}
    assert [piece.last for piece in pieces] == [key, {"page": 1}, None]


def test_a_limit_fetches_no_more_than_one_piece() -> None:
    """A list of two does not read a page's thousand items."""
    client = CompactIndex(items(1000))
    assert len(list(Listing(client, TABLE, Search("incidentId", "i", limit=2), now=None))) == 2
    assert len(client.fetched) == 1


def test_unprocessed_keys_are_asked_again() -> None:
    """After a pause with jitter, which begins anew when something came."""
    made = items(5)
    client = CompactIndex(made, unprocessed=(2, 2, 1))
    slept: list[float] = []
    assert completed(client, TABLE, [part(one) for one in made], whole=True, sleep=slept.append) == made
    ids = _ids(made)
    assert client.fetched == [ids, ids[3:], ids[3:], ids[4:]]
    assert len(slept) == 3
    assert all(0 <= pause <= 0.2 for pause in slept)


def test_keys_that_stay_unprocessed_are_an_error_with_a_remedy() -> None:
    """Instead of an endless wait; the pauses grow to 3.2 s."""
    made = items(2)
    slept: list[float] = []
    with pytest.raises(AwsError, match="throttling reads: try again in a moment"):
        completed(CompactIndex(made, unprocessed=(2,) * 9), TABLE, [part(made[0])], whole=True, sleep=slept.append)
    assert len(slept) == 7
    assert max(slept) <= 3.2


def test_an_item_deleted_meanwhile_is_left_out() -> None:
    """The index showed it, the table no longer has it: as if it had been read a moment later."""
    made = items(3)
    client = CompactIndex(made)
    client.deleted = {recommendation_id(made[1])}
    assert completed(client, TABLE, [part(one) for one in made], whole=True) == [made[0], made[2]]


def test_an_answer_without_responses_is_not_dynamodb() -> None:
    """Nothing is taken for deleted because some other service answered."""

    class Other(CompactIndex):
        def batch_get_item(self, **_parameters: Any) -> Mapping[str, Any]:
            return {}

    with pytest.raises(NotDynamoDbError):
        completed(Other(), TABLE, [part(item())], whole=True)
