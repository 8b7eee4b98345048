"""What happens to each kind of message, from event to response: the first table of docs/failures.md."""

import json
from typing import Any

import pytest

from recommendation_consumer.invocation import NothingStoredError
from recommendation_consumer.message import MalformedEventError
from tests.support.fakes.aws import Clock, FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import Context, again, bodies, body, envelope, event, named, record, redelivered
from tests.support.lambdas.invoke import invoke

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines

THROTTLED = client_error("ThrottlingException")
NEWER = body().replace('"schemaVersion":1', '"schemaVersion":2')


def _with(**changes: Any) -> str:
    return json.dumps({**json.loads(body()), **changes})


async def test_stored_batch_is_deleted_from_the_queue() -> None:
    """An empty list says so, rather than an empty response."""
    table, messages = FakeTable(), event(*bodies(7))
    response = await invoke(messages, table)
    assert response == {"batchItemFailures": []}
    assert len(table.items) == 7
    assert redelivered(response, messages) == set()


async def test_empty_batch_is_a_success() -> None:
    """AWS never sends one, but the response is well-formed even so."""
    assert await invoke({"Records": []}) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "InvalidJson"),
        ("7", "InvalidEnvelope"),
        (_with(timestamp="yesterday"), "InvalidEnvelope"),
        (_with(incidentId="incident-124"), "IdMismatch"),
        (_with(reasoning="other content"), "IdConflict"),
    ],
)
async def test_poison_is_dead_lettered_at_once_and_acknowledged(text: str, reason: str) -> None:
    """Its neighbours are stored."""
    table, queue, messages = FakeTable(), FakeDeadLetterQueue(), event(body(), text, body("other"))
    response = await invoke(messages, table, queue)
    assert redelivered(response, messages) == set()
    assert len(table.items) == 2
    assert [message["MessageBody"] for message in queue.messages] == [text]
    (attributes,) = queue.attributes()
    assert (attributes["failureReason"], attributes["originalMessageId"]) == (reason, "m1")


async def test_poison_that_cannot_be_dead_lettered_is_left_to_the_redrive_policy() -> None:
    """Its neighbours are stored even so."""
    table, queue = FakeTable(), FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert named(await invoke(event(body(), "poison", body("other")), table, queue)) == ["m1"]
    assert len(table.items) == 2


async def test_batch_of_poison_only_is_acknowledged() -> None:
    """With nothing to write, the table has not failed."""
    queue = FakeDeadLetterQueue()
    assert named(await invoke(event(*["poison"] * 12), FakeTable(last=THROTTLED), queue)) == []
    assert len(queue.messages) == 12


async def test_duplicate_is_written_once_and_acknowledged() -> None:
    """Three messages make one write."""
    table = FakeTable()
    assert named(await invoke(event(body(), body(), body()), table)) == []
    assert [len(request) for request in table.requests] == [1]


async def test_redelivered_batch_writes_identical_items() -> None:
    """The time and order of delivery do not matter."""
    first, second = FakeTable(), FakeTable()
    await invoke(event(*bodies(7)), first)
    await invoke(event(*reversed(bodies(7))), second)
    assert first.items == second.items


async def test_all_messages_of_an_unwritten_recommendation_are_named() -> None:
    """Not only the earliest of them."""
    table = FakeTable(1, last=1)
    assert named(await invoke(event(body("a"), body("b"), body("b")), table)) == ["m1", "m2"]


async def test_message_that_expired_while_waiting_is_acknowledged_unwritten() -> None:
    """DynamoDB would only delete it again."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    late = record("late", body("late", retention=1), ApproximateFirstReceiveTimestamp="1769960800000")
    assert named(await invoke({"Records": [late, record("m1", body())]}, table, queue)) == []
    assert len(table.items) == 1
    assert not queue.messages


@pytest.mark.parametrize("timestamp", ["2025-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
async def test_message_that_was_sent_expired_is_dead_lettered(timestamp: str) -> None:
    """An executor with a wrong clock would otherwise lose everything, acknowledged."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    assert named(await invoke(event(body(timestamp=timestamp), body()), table, queue)) == []
    assert len(table.items) == 1
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == "Expired"
    assert "is the sender's clock right?" in attributes["failureDetail"]


@pytest.mark.parametrize("years", [-1, 1])
async def test_consumers_own_clock_decides_nothing(years: int) -> None:
    """A host whose clock is a year off, in either direction, stores what every other host stores."""
    table, usual, now = FakeTable(), FakeTable(), Clock().wall()
    await invoke(event(*bodies(3)), usual)
    messages = event(*bodies(3), body(timestamp="2025-01-01T00:00:00Z"))
    queue = FakeDeadLetterQueue()
    assert named(await invoke(messages, table, queue, wall=lambda: now + years * 365 * 86_400)) == []
    assert table.items == usual.items
    assert [attributes["failureReason"] for attributes in queue.attributes()] == ["Expired"]


async def test_newer_schema_version_is_named_and_its_neighbours_are_stored() -> None:
    """SQS redelivers it until a deployment supports it, or the redrive policy moves it."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    assert named(await invoke(event(NEWER, body()), table, queue)) == ["m0"]
    assert len(table.items) == 1
    assert not queue.messages


async def test_item_that_dynamodb_rejects_is_dead_lettered() -> None:
    """The other items of its chunk are stored."""
    table, queue, texts = FakeTable(invalid={envelope("agent-3").recommendation_id}), FakeDeadLetterQueue(), bodies(7)
    assert named(await invoke(event(*texts), table, queue)) == []
    assert len(table.items) == 6
    assert [message["MessageBody"] for message in queue.messages] == [texts[3]]
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == "ItemRejected"
    assert attributes["failureDetail"] == "item: DynamoDB rejected it as invalid"


async def test_all_messages_of_a_rejected_item_share_its_outcome() -> None:
    """A duplicate may be acknowledged only if its item is stored."""
    table, denied = FakeTable(invalid={envelope("b").recommendation_id}), client_error("AccessDenied")
    messages = event(body("a"), body("b"), body("b"))
    assert named(await invoke(messages, table, FakeDeadLetterQueue(error=denied))) == ["m1", "m2"]
    queue = FakeDeadLetterQueue()
    assert named(await invoke(messages, table, queue)) == []
    assert [attributes["originalMessageId"] for attributes in queue.attributes()] == ["m1", "m2"]


async def test_lone_rejected_item_does_not_raise() -> None:
    """The table accepts an ordinary item, so this one is at fault."""
    queue = FakeDeadLetterQueue()
    table = FakeTable(invalid={envelope().recommendation_id})
    assert named(await invoke(event(body()), table, queue)) == []
    assert (len(queue.messages), table.checks, len(table.items)) == (1, 1, 0)


@pytest.mark.parametrize("delivered", [lambda record: record, again], ids=["first delivery", "redelivery"])
async def test_batch_of_invalid_items_alone_is_dead_lettered_at_once(delivered: Any) -> None:
    """Poison must not fail for hours just because it has no valid neighbour."""
    messages, queue = {"Records": [delivered(record) for record in event(*bodies(2))["Records"]]}, FakeDeadLetterQueue()
    table = FakeTable(invalid={envelope(f"agent-{number}").recommendation_id for number in range(2)})
    assert named(await invoke(messages, table, queue)) == []
    assert [attributes["failureReason"] for attributes in queue.attributes()] == ["ItemRejected"] * 2
    assert (table.checks, len(table.items)) == (1, 0)


async def test_table_is_not_checked_if_it_stored_a_neighbour() -> None:
    """That shows already that it accepts recommendations."""
    table = FakeTable(invalid={envelope("agent-0").recommendation_id, envelope("agent-1").recommendation_id})
    assert named(await invoke(event(*bodies(3)), table)) == []
    assert (table.checks, len(table.items)) == (0, 1)


@pytest.mark.parametrize("answer", ["hang", client_error("ThrottlingException"), client_error("AccessDeniedException")])
async def test_rejected_batch_raises_if_the_table_cannot_be_checked(answer: Any) -> None:
    """Nobody knows whether the items are at fault, so they stay in the queue."""
    queue, table = FakeDeadLetterQueue(), FakeTable(client_error("ValidationException"), last=answer)
    with pytest.raises(NothingStoredError, match=r"ItemRejected \(1\); nor did the table accept an ordinary one: "):
        await invoke(event(body()), table, queue, context=Context(remaining_ms=300))
    assert not queue.messages


@pytest.mark.parametrize("count", [1, 2, 7, 100])
async def test_batch_that_is_rejected_whole_raises(count: int) -> None:
    """The table is at fault, such as one with another key; a hundred messages must not become dead letters."""
    messages, queue = event(*bodies(count), "poison"), FakeDeadLetterQueue()
    with pytest.raises(
        NothingStoredError,
        match=rf"stored: ItemRejected \({count}\); nor did the table accept an ordinary one: ValidationException$",
    ):
        await invoke(messages, FakeTable(last=client_error("ValidationException")), queue)
    assert not queue.messages


async def test_redelivered_batch_that_is_rejected_whole_raises() -> None:
    """Its items are written one by one, and rejected one by one."""
    queue = FakeDeadLetterQueue()
    with pytest.raises(NothingStoredError, match=r"ItemRejected \(3\)"):
        await invoke(
            {"Records": [again(delivered) for delivered in event(*bodies(3))["Records"]]},
            FakeTable(last=client_error("ValidationException")),
            queue,
        )
    assert not queue.messages


@pytest.mark.parametrize("shape", [None, {}, {"Records": None}, {"Records": [{}]}])
async def test_malformed_event_stores_nothing_and_raises(shape: Any) -> None:
    """A response could not name its records."""
    table = FakeTable()
    with pytest.raises(MalformedEventError):
        await invoke(shape, table)
    assert table.requests == []


@pytest.mark.parametrize("text", [None, 7, {}, ""])
async def test_record_without_text_is_named_and_its_neighbours_are_stored(text: Any) -> None:
    """It is never acknowledged unread."""
    table = FakeTable()
    assert named(await invoke(event(body(), text), table)) == ["m1"]
    assert len(table.items) == 1


async def test_message_id_is_named_once() -> None:
    """Even if two messages of a batch have the same ID."""
    messages = {"Records": [record("same", None), record("same", None), record("other", body())]}
    response = await invoke(messages)
    assert named(response) == ["same"]
    assert redelivered(response, messages) == {"same"}


async def test_every_message_of_a_mixed_batch_is_accounted_for() -> None:
    """Each one is stored, dead-lettered or redelivered."""
    messages = event(
        *bodies(4),
        body("agent-0"),
        "poison",
        NEWER,
        body(timestamp="2020-01-01T00:00:00Z"),
        "",
    )
    messages["Records"].append(
        record("m9", body("late", retention=1), ApproximateFirstReceiveTimestamp="1769960800000")
    )
    table, queue = FakeTable(1, last=1), FakeDeadLetterQueue()
    response = await invoke(messages, table, queue)
    assert redelivered(response, messages) == {"m3", "m6", "m8"}
    assert len(table.items) == 3
    assert [attributes["originalMessageId"] for attributes in queue.attributes()] == ["m5", "m7"]


def _redelivered(*texts: str) -> dict[str, Any]:
    return {"Records": [again(delivered) for delivered in event(*texts)["Records"]]}


async def test_conflict_shows_that_the_table_works_so_its_neighbour_is_named() -> None:
    """The conflict is dead-lettered at once, although nothing was stored."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    await invoke(event(body("a", reasoning="first")), table)
    broken = FakeTable(last=client_error("AccessDeniedException"))
    broken.items = table.items
    assert named(await invoke(_redelivered(body("a", reasoning="second"), body("b")), broken, queue)) == ["m1"]
    assert [attributes["failureReason"] for attributes in queue.attributes()] == ["IdConflict"]


async def test_table_is_not_checked_if_something_else_failed() -> None:
    """The batch raises anyway, so the answer would change nothing."""
    answers = client_error("ValidationException"), client_error("AccessDeniedException")
    table, queue = FakeTable(*answers), FakeDeadLetterQueue()
    with pytest.raises(NothingStoredError, match=r"AccessDeniedException \(1\), ItemRejected \(1\)$"):
        await invoke(_redelivered(body("a"), body("b")), table, queue)
    assert (table.checks, queue.messages) == (0, [])
