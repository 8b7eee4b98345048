"""One invocation from event to answer: each row of the consumer's table, and each bad input among good ones."""

import json
from typing import Any

import pytest

from recommendation_consumer.invocation import NothingStoredError, consume
from recommendation_consumer.message import MalformedEventError
from recommendation_shared.item.encoding import decode_item
from recommendation_shared.settings import Settings
from tests.support.fakes.aws import TABLE, FakeDeadLetterQueue, FakeTable, client_error, dependencies
from tests.support.lambdas.event import Context, bodies, body, envelope, event, named, record, redelivered

pytestmark = pytest.mark.usefixtures("capsys")  # the metrics' lines

THROTTLED = client_error("ThrottlingException")


def _fields(**changes: Any) -> str:
    return json.dumps({**json.loads(body()), **changes})


async def _invoke(
    messages: Any,
    table: FakeTable | None = None,
    queue: FakeDeadLetterQueue | None = None,
    context: Context | None = None,
) -> Any:
    settings = Settings.from_env({"RECOMMENDATIONS_TABLE": TABLE})
    around = dependencies(table, queue=queue, settings=settings)
    return await consume(messages, context or Context(), around)


async def test_a_stored_batch_is_deleted_from_the_queue() -> None:
    """With an answer that says so, not with an empty one."""
    table, messages = FakeTable(), event(*bodies(7))
    response = await _invoke(messages, table)
    assert response == {"batchItemFailures": []}
    assert len(table.items) == 7
    assert redelivered(response, messages) == set()


async def test_an_empty_batch_is_a_success() -> None:
    """AWS sends none; the answer is well-formed all the same."""
    assert await _invoke({"Records": []}) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "InvalidJson"),
        ("7", "InvalidEnvelope"),
        (_fields(timestamp="yesterday"), "InvalidEnvelope"),
        (_fields(incidentId="incident-124"), "IdMismatch"),
        (_fields(reasoning="other content"), "IdConflict"),
    ],
)
async def test_poison_is_dead_lettered_at_once_and_acknowledged(text: str, reason: str) -> None:
    """Its neighbours are stored."""
    table, queue, messages = FakeTable(), FakeDeadLetterQueue(), event(body(), text, body("other"))
    response = await _invoke(messages, table, queue)
    assert redelivered(response, messages) == set()
    assert len(table.items) == 2
    assert [message["MessageBody"] for message in queue.messages] == [text]
    assert [(one["failureReason"], one["originalMessageId"]) for one in queue.attributes()] == [(reason, "m1")]


async def test_poison_that_cannot_be_dead_lettered_is_left_to_the_redrive_policy() -> None:
    """Its neighbours are stored all the same."""
    table, queue = FakeTable(), FakeDeadLetterQueue(error=client_error("AccessDenied"))
    assert named(await _invoke(event(body(), "poison", body("other")), table, queue)) == ["m1"]
    assert len(table.items) == 2


async def test_a_batch_of_poison_only_is_acknowledged() -> None:
    """Nothing to write is no failure of the table."""
    queue = FakeDeadLetterQueue()
    assert named(await _invoke(event(*["poison"] * 12), FakeTable(last=THROTTLED), queue)) == []
    assert len(queue.messages) == 12


async def test_a_duplicate_is_written_once_and_acknowledged() -> None:
    """One write for three messages."""
    table = FakeTable()
    assert named(await _invoke(event(body(), body(), body()), table)) == []
    assert [len(request) for request in table.requests] == [1]


async def test_a_redelivered_batch_rewrites_nothing_else() -> None:
    """Byte for byte the same items, whenever that is."""
    first, second = FakeTable(), FakeTable()
    await _invoke(event(*bodies(7)), first)
    await _invoke(event(*reversed(bodies(7))), second)
    assert first.items == second.items


async def test_all_messages_of_an_unwritten_recommendation_are_redelivered() -> None:
    """Not only the first of them."""
    table = FakeTable(1, last=1)
    assert named(await _invoke(event(body("a"), body("b"), body("b")), table)) == ["m1", "m2"]


async def test_what_is_past_its_ttl_is_acknowledged_unwritten() -> None:
    """It would only be deleted again."""
    table = FakeTable()
    messages = event(body(timestamp="2025-01-01T00:00:00Z"), body())
    assert named(await _invoke(messages, table)) == []
    assert len(table.items) == 1


async def test_unprocessed_past_the_deadline_is_reported_in_order_of_arrival() -> None:
    """And nothing else is."""
    table, messages = FakeTable(2, last=2), event(*bodies(5))
    response = await _invoke(messages, table)
    assert named(response) == ["m3", "m4"]
    assert redelivered(response, messages) == {"m3", "m4"}


async def test_a_newer_schema_version_is_reported_and_its_neighbours_are_stored() -> None:
    """It is retried, and ends in the dead-letter queue if no deployment comes."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    assert named(await _invoke(event(_fields(schemaVersion=2), body()), table, queue)) == ["m0"]
    assert len(table.items) == 1
    assert not queue.messages


async def test_an_item_that_dynamodb_refuses_is_dead_lettered() -> None:
    """The others of its chunk are stored."""
    table = FakeTable(invalid={envelope("agent-3").recommendation_id})
    queue = FakeDeadLetterQueue()
    texts = bodies(7)
    assert named(await _invoke(event(*texts), table, queue)) == []
    assert len(table.items) == 6
    assert [message["MessageBody"] for message in queue.messages] == [texts[3]]
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == "ItemRejected"
    assert attributes["failureDetail"] == "item: DynamoDB rejected it as invalid"


async def test_all_messages_of_a_refused_item_share_its_fate() -> None:
    """A duplicate is acknowledged because its item is stored, and for no other reason."""
    table, refused = FakeTable(invalid={envelope("b").recommendation_id}), client_error("AccessDenied")
    messages = event(body("a"), body("b"), body("b"))
    assert named(await _invoke(messages, table, FakeDeadLetterQueue(error=refused))) == ["m1", "m2"]
    queue = FakeDeadLetterQueue()
    assert named(await _invoke(messages, table, queue)) == []
    assert [one["originalMessageId"] for one in queue.attributes()] == ["m1", "m2"]


async def test_a_lone_item_that_dynamodb_refuses_is_no_failure_of_the_table() -> None:
    """It answered."""
    queue = FakeDeadLetterQueue()
    table = FakeTable(invalid={envelope().recommendation_id})
    assert named(await _invoke(event(body()), table, queue)) == []
    assert len(queue.messages) == 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (THROTTLED, r"Throttled \(7\)"),
        (25, r"Throttled \(7\)"),
        (client_error("AccessDeniedException"), r"AccessDeniedException \(7\)"),
        (client_error("ResourceNotFoundException"), r"ResourceNotFoundException \(7\)"),
        (client_error("ExpiredTokenException"), r"ExpiredTokenException \(7\)"),
        (client_error("InternalServerError", 500), r"InternalServerError \(7\)"),
    ],
)
async def test_a_batch_of_which_nothing_can_be_stored_raises(answer: Any, cause: str) -> None:
    """So that the poller slows down and the function's error alarm tells."""
    with pytest.raises(NothingStoredError, match=f"^None of 7 recommendations could be stored: {cause}$"):
        await _invoke(event(*bodies(7)), FakeTable(last=answer))


async def test_a_batch_that_is_redelivered_whole_has_sent_no_dead_letter() -> None:
    """The poison in it comes back too; it must not be dead-lettered twice."""
    queue = FakeDeadLetterQueue()
    with pytest.raises(NothingStoredError):
        await _invoke(event("poison", body()), FakeTable(last=THROTTLED), queue)
    assert not queue.messages


async def test_one_stored_recommendation_is_enough_to_answer_by_name() -> None:
    """Raising would redeliver what is stored."""
    response = await _invoke(event(*bodies(30)), FakeTable(client_error("AccessDeniedException")))
    assert named(response) == [f"m{number}" for number in range(25)]


async def test_a_table_that_hangs_for_some_is_answered_for_before_the_timeout() -> None:
    """With exactly the messages that it did not take."""
    response = await _invoke(event(*bodies(30)), FakeTable("hang"), context=Context(remaining_ms=300))
    assert named(response) == [f"m{number}" for number in range(25)]


async def test_a_table_that_hangs_for_all_raises_before_the_timeout() -> None:
    """In less than the 300 ms that are left."""
    with pytest.raises(NothingStoredError, match="DeadlineExceeded"):
        await _invoke(event(*bodies(30)), FakeTable(last="hang"), context=Context(remaining_ms=300))


async def test_a_queue_that_hangs_does_not_hold_the_answer() -> None:
    """The poison is reported, what was stored is not."""
    response = await _invoke(
        event("poison", body()), queue=FakeDeadLetterQueue(error="hang"), context=Context(remaining_ms=300)
    )
    assert named(response) == ["m0"]


@pytest.mark.parametrize("shape", [None, {}, {"Records": None}, {"Records": [{}]}])
async def test_a_malformed_event_stores_nothing_and_raises(shape: Any) -> None:
    """An answer could not name what it holds."""
    table = FakeTable()
    with pytest.raises(MalformedEventError):
        await _invoke(shape, table)
    assert table.requests == []


@pytest.mark.parametrize("text", [None, 7, {}, ""])
async def test_a_record_without_text_is_reported_and_its_neighbours_are_stored(text: Any) -> None:
    """Never acknowledged unseen."""
    table = FakeTable()
    assert named(await _invoke(event(body(), text), table)) == ["m1"]
    assert len(table.items) == 1


async def test_a_message_id_is_reported_once() -> None:
    """Even if a batch names two messages alike."""
    messages = {"Records": [record("same", None), record("same", None), record("other", body())]}
    response = await _invoke(messages)
    assert named(response) == ["same"]
    assert redelivered(response, messages) == {"same"}


DEEP: Any = "leaf"
for _ in range(33):
    DEEP = {"level": DEEP}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "InvalidJson", id="not JSON"),
        pytest.param("[" * 100_000, "InvalidJson", id="a bomb of brackets"),
        pytest.param("hello from the console", "InvalidJson", id="sent by hand"),
        pytest.param("{}", "InvalidEnvelope", id="no fields"),
        pytest.param(_fields(recommendation="text"), "InvalidEnvelope", id="text for an object"),
        pytest.param(_fields(citations={}), "InvalidEnvelope", id="an object for a list"),
        pytest.param(_fields(reasoning=None), "InvalidEnvelope", id="null for text"),
        pytest.param(_fields(retention="90"), "InvalidEnvelope", id="text for a number"),
        pytest.param(_fields(incidentId=""), "InvalidEnvelope", id="an empty ID"),
        pytest.param(_fields(incidentId=7), "InvalidEnvelope", id="a number for an ID"),
        pytest.param(_fields(executionId="x" * 1_025), "InvalidEnvelope", id="a huge ID"),
        pytest.param(_fields(executionId="é" * 513), "InvalidEnvelope", id="an ID that is huge in bytes"),
        pytest.param(_fields(incidentId="a\x00b"), "InvalidEnvelope", id="a control character in an ID"),
        pytest.param(_fields(incidentId="a\u0085b"), "InvalidEnvelope", id="a control character beyond ASCII"),
        pytest.param(_fields(agentType="Not Kebab"), "InvalidEnvelope", id="an agent type with spaces"),
    ],
)
async def test_bad_input_ends_in_the_dead_letter_queue_and_the_rest_is_stored(text: str, reason: str) -> None:
    """And what says why quotes none of it."""
    table, queue, messages = FakeTable(), FakeDeadLetterQueue(), event(*bodies(3), text, *bodies(6)[3:])
    response = await _invoke(messages, table, queue)
    assert redelivered(response, messages) == set()
    assert len(table.items) == 6
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == reason
    assert queue.messages[0]["MessageBody"] == text


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        pytest.param(DEEP, "leaf", id="33 levels deep"),
        pytest.param({"n": 10**39 + 1}, str(10**39 + 1), id="more than 38 digits"),
        pytest.param({"n": float("nan")}, "NaN", id="NaN"),
        pytest.param({"": "no name"}, "no name", id="a name that no attribute can have"),
    ],
)
async def test_what_json_allows_and_dynamodb_does_not_is_represented(content: Any, kept: str) -> None:
    """Not refused; its neighbours are stored too."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    assert named(await _invoke(event(*bodies(3), _fields(recommendation=content)), table, queue)) == []
    assert len(table.items) == 4
    assert not queue.messages
    assert kept in json.dumps(table.items[envelope().recommendation_id]["recommendation"])


async def test_a_900_kb_recommendation_is_stored_trimmed_and_marked() -> None:
    """And its neighbours whole."""
    table = FakeTable()
    assert named(await _invoke(event(*bodies(3), body(recommendation={"log": "x" * 900_000})), table)) == []
    assert len(table.items) == 4
    item = decode_item(table.items[envelope().recommendation_id])
    (cut,) = item["metadata"]["truncated"]
    assert (cut["path"], cut["bytes"]) == ("/recommendation/log", 900_000)
    assert len(json.dumps(item["recommendation"])) < 400 * 1024


async def test_a_batch_of_everything_accounts_for_every_message() -> None:
    """Stored, dead-lettered or redelivered: no message is anything else."""
    texts = [
        *bodies(4),
        body("agent-0"),
        "poison",
        _fields(schemaVersion=2),
        body(timestamp="2020-01-01T00:00:00Z"),
        "",
    ]
    table, queue = FakeTable(1, last=1), FakeDeadLetterQueue()
    messages = event(*texts)
    response = await _invoke(messages, table, queue)
    assert redelivered(response, messages) == {"m3", "m6", "m8"}
    assert len(table.items) == 3
    assert [one["originalMessageId"] for one in queue.attributes()] == ["m5"]
