"""The conditions of an erasure on an engine that is independent of moto: of its mark, and of each item."""

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest

from recommendation_cli.aws.connection import Target
from recommendation_cli.erasure.items import Recommendations
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.marks.store import MarkChangedError, MarkStore
from recommendation_shared.item.marks import Entry, State
from tests.support.fakes.recommendation_table import create_table, item, items, put

TARGET: Final = Target("erasures")
INCIDENT: Final = "incident-7"
ENTRY: Final = Entry(State.ERASING, "arn:aws:iam::123456789012:user/ann", "2026-02-01T00:00:00.000000Z", "request")


@pytest.fixture(params=[False, True], ids=["whole indexes", "compact indexes"])
def client(dynalite: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A table with three items of the incident and one of another."""
    client = boto3.client("dynamodb", endpoint_url=dynalite)
    create_table(client, TARGET.table, compact=request.param)
    put(client, TARGET.table, [*items(3), item(incident_id="incident-8")])
    yield client
    client.delete_table(TableName=TARGET.table)
    client.close()


def test_items_are_counted_announced_and_deleted(client: Any) -> None:
    """The other incident's stays, and so does the mark, which the engine compares as a whole before each change."""
    tombstone = Tombstone(client, TARGET, INCIDENT)
    place = Recommendations(client, TARGET, INCIDENT)
    assert place.find(lambda *_: None).total == 3
    tombstone.begin(ENTRY)
    assert place.sweep(tombstone, lambda *_: None).erased == 3
    assert place.sweep(tombstone, lambda *_: None).erased == 0
    tombstone.finish(ENTRY._replace(action=State.ERASED))
    left = client.scan(TableName=TARGET.table)["Items"]
    assert {one["recommendationId"]["S"].partition("/")[0] for one in left} >= {"incident-mark"}
    assert len(left) == 2
    mark = MarkStore(client, TARGET).read(INCIDENT)
    assert mark is not None
    assert (mark.counts, len(mark.erased)) == ({"recommendations": 3}, 3)


def test_two_erasures_at_once_do_not_mix(client: Any) -> None:
    """The second one stops at its next change of the mark."""
    first, second = Tombstone(client, TARGET, INCIDENT), Tombstone(client, TARGET, INCIDENT)
    first.begin(ENTRY)
    with pytest.raises(MarkChangedError):
        second.begin(ENTRY._replace(by="arn:aws:iam::123456789012:user/bob"))
    third = Tombstone(client, TARGET, INCIDENT)
    third.begin(ENTRY)  # which goes on with what the first has begun
    first.add("dead letters", 1)
    with pytest.raises(MarkChangedError):
        third.add("reviews", 1)
