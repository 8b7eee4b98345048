"""The demo's ledger: what is stored, whether it is stored as it was sent, and whether it has changed since."""

from collections.abc import Mapping
from typing import Any

import pytest

from examples.demo.ledger import Ledger
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, Item, items, recommendation_id


class Table(FakeDynamoDb):
    """Answers BatchGetItem; `unprocessed` says how many keys each request leaves unprocessed."""

    def __init__(self, stored: list[Item], *unprocessed: int) -> None:
        super().__init__(stored)
        self.unprocessed = list(unprocessed)
        self.requested: list[int] = []

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return items in the table, except for the unprocessed keys."""
        request = parameters["RequestItems"][TABLE]
        assert request["ConsistentRead"] is True
        keys = request["Keys"]
        assert 0 < len(keys) <= 100
        self.requested.append(len(keys))
        left = min(self.unprocessed.pop(0), len(keys)) if self.unprocessed else 0
        answer = super().batch_get_item(RequestItems={TABLE: {"Keys": keys[left:]}})
        return {**answer, "UnprocessedKeys": {TABLE: {**request, "Keys": keys[:left]}} if left else {}}


class Stack:
    """The part of a local stack that the ledger uses."""

    table_name = TABLE

    def __init__(self, table: Table) -> None:
        self.table = table

    def client(self, _service: str) -> Table:
        """Return the table, whatever the service is."""
        return self.table

    def check(self) -> None:
        """Report nothing: the stack runs."""


def _ledger(table: Table) -> Ledger:
    stack: Any = Stack(table)
    return Ledger(stack)


def _ids(stored: list[Item]) -> set[str]:
    return set(map(recommendation_id, stored))


def test_items_are_counted_by_distinct_id() -> None:
    """Only those asked for count, and those already seen are not read again."""
    stored = items(3)
    table = Table(stored)
    ledger = _ledger(table)
    assert ledger.read(_ids(stored[:2]) | {"rec-missing"}) == 2
    assert ledger.read(_ids(stored)) == 3
    assert table.requested == [3, 1]


def test_unprocessed_keys_are_read_again() -> None:
    """DynamoDB may leave any number of a request's keys unprocessed, even all."""
    stored = items(130)
    table = Table(stored, 40, 90, 0)
    assert _ledger(table).read(_ids(stored)) == 130
    assert table.requested == [100, 70, 70]


def test_item_that_does_not_match_its_digest_is_an_error() -> None:
    """It is not stored as it was sent."""
    stored = items(2)
    stored[1]["reasoning"] = {"S": "something else"}
    with pytest.raises(ValueError, match=f"{recommendation_id(stored[1])} is not stored as it was sent"):
        _ledger(Table(stored)).read(_ids(stored))


def test_unchanged_items_are_not_reported() -> None:
    """Redelivered messages must change nothing."""
    stored = items(3)
    ledger = _ledger(Table(stored, 0, 2))
    ledger.read(_ids(stored))
    assert ledger.changed() == []


def test_changed_or_deleted_item_is_reported() -> None:
    """By its digest, compared with the first one seen."""
    stored = items(3)
    ledger = _ledger(Table(stored))
    ledger.read(_ids(stored))
    expected = {recommendation_id(stored[0]), recommendation_id(stored[2])}
    stored[0]["contentDigest"] = {"S": "0" * 64}
    del stored[2]
    assert set(ledger.changed()) == expected
