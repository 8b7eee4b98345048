"""Guarded items are written one by one, and never replace other content."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from recommendation_consumer.writer import WriteResult
from recommendation_shared.item.encoding import encode_item
from tests.support.fakes.aws import FakeTable, client_error
from tests.support.lambdas.event import envelope
from tests.support.lambdas.invoke import encoded, ids, write

ITEMS = encoded(30)
ITEM, CONFLICTING = (encode_item(envelope(reasoning=text).to_fields()) for text in ("one", "another"))


async def test_item_is_stored_if_absent_or_already_there() -> None:
    """The second write changes nothing."""
    table = FakeTable()
    assert set((await write(table, guarded=[ITEM])).stored) == {ITEM.recommendation_id}
    before = dict(table.items)
    assert set((await write(table, guarded=[ITEM])).stored) == {ITEM.recommendation_id}
    assert table.items == before
    assert table.requests == []


async def test_different_content_under_the_same_id_is_a_conflict() -> None:
    """The item is neither stored nor retried."""
    table = FakeTable()
    await write(table, [ITEM])
    result = await write(table, guarded=[CONFLICTING])
    assert result == WriteResult(conflicts=[ITEM.recommendation_id])
    assert table.items[ITEM.recommendation_id]["contentDigest"] == {"S": ITEM.digest}


async def test_guarded_and_other_items_are_written_side_by_side() -> None:
    """Guarded items one by one, the others in requests of 25."""
    table = FakeTable()
    result = await write(table, ITEMS[3:], guarded=ITEMS[:3])
    assert len(result.stored) == 30
    assert [len(request) for request in table.requests] == [25, 2]
    assert sorted(table.guarded) == sorted(ids(ITEMS[:3]))


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("InternalServerError", 500),
        client_error("TransactionConflictException"),
        EndpointConnectionError(endpoint_url="http://table"),
    ],
)
async def test_transient_error_is_retried(error: Exception) -> None:
    """As it is for a chunk."""
    assert len((await write(FakeTable(error, error), guarded=[ITEM])).stored) == 1


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (client_error("ThrottlingException"), "Throttled"),
        (client_error("AccessDeniedException"), "AccessDeniedException"),
        (EndpointConnectionError(endpoint_url="http://table"), "Unreachable"),
    ],
)
async def test_lasting_error_leaves_the_item_unwritten(error: Exception, error_type: str) -> None:
    """The result says why."""
    result = await write(FakeTable(last=error), guarded=[ITEM])
    assert result.unwritten == {ITEM.recommendation_id: error_type}


async def test_hanging_put_is_abandoned_at_the_deadline() -> None:
    """In real time."""
    result = await write(FakeTable(last="hang"), guarded=ITEMS[:9], seconds=0.05)
    assert result.unwritten == dict.fromkeys(ids(ITEMS[:9]), "DeadlineExceeded")


async def test_invalid_item_is_rejected() -> None:
    """A single item cannot be split any further."""
    table = FakeTable(invalid={ITEM.recommendation_id})
    assert (await write(table, guarded=[ITEM])).rejected == [ITEM.recommendation_id]


@pytest.mark.parametrize("response", [{}, {"ConsumedCapacity": None}, {"ConsumedCapacity": []}])
async def test_response_without_consumed_capacity_confirms_nothing(response: dict[str, Any]) -> None:
    """The request asks for it, so a response without it is not from DynamoDB."""

    async def respond(_: bytes) -> dict[str, Any]:
        return response

    result = await write(FakeTable(), guarded=[ITEM], put_item=respond)
    assert result.unwritten == {ITEM.recommendation_id: "NotConfirmed"}
