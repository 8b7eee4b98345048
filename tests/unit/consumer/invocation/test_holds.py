"""Batches with messages of held and erased incidents."""

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from recommendation_consumer.invocation import NothingStoredError
from recommendation_consumer.marks import MARKS_UNREADABLE
from recommendation_shared.item.marks import Entry, State, mark_item, moved
from recommendation_shared.metrics import PERSISTENCE_THROTTLED
from tests.support.emf import read_emf, totals
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable, client_error
from tests.support.lambdas.event import again, bodies, body, event
from tests.support.lambdas.invoke import invoke

ANN = "arn:aws:iam::123456789012:user/ann"
AT = "2026-02-01T09:00:00.000000Z"
NONE_FAILED: Any = {"batchItemFailures": []}


def _table(action: State, incident_id: str = "incident-123") -> FakeTable:
    table, mark = FakeTable(), moved(None, incident_id, Entry(action, ANN, AT, "Legal hold 42"))
    table.items[mark.key] = mark_item(mark)
    return table


def _stored(table: FakeTable) -> dict[str, Any]:
    return {key: item for key, item in table.items.items() if key.startswith("rec-")}


@pytest.mark.parametrize("is_again", [False, True], ids=["new", "redelivered"])
async def test_every_record_of_a_held_incident_is_stored_with_its_hold(is_again: bool) -> None:
    """Also where the message's own ttl has passed: a redriven dead letter must not expire at once."""
    table = _table(State.HELD)
    batch = event(body("a"), body("a"), body("b", retention=1, incident_id="incident-9"), body("other", retention=1))
    if is_again:
        batch = {"Records": list(map(again, batch["Records"]))}
    for record in batch["Records"][3:]:
        record["attributes"]["ApproximateFirstReceiveTimestamp"] = str(1_769_860_800_000 + 90 * 86_400_000)
    assert await invoke(batch, table) == NONE_FAILED
    items = {item["agentType"]["S"]: item for item in _stored(table).values()}
    assert {agent: (item.get("hold"), "ttl" in item) for agent, item in items.items()} == {
        "a": ({"M": {"reason": {"S": "Legal hold 42"}, "by": {"S": ANN}, "at": {"S": AT}}}, False),
        "b": (None, True),
        "other": ({"M": {"reason": {"S": "Legal hold 42"}, "by": {"S": ANN}, "at": {"S": AT}}}, False),
    }


async def test_other_content_under_the_same_id_does_not_replace_what_is_held() -> None:
    """The held item would become a dead letter, which SQS deletes after days. The new message becomes one instead."""
    table, queue = _table(State.HELD), FakeDeadLetterQueue()
    assert await invoke(event(body("a"), body("b", incident_id="incident-9")), table) == NONE_FAILED
    before = _stored(table)
    other = [body("a", reasoning="other"), body("b", incident_id="incident-9", reasoning="other")]
    assert await invoke(event(*other), table, queue) == NONE_FAILED
    assert [key for key, item in _stored(table).items() if item == before[key]] == [
        key for key, item in before.items() if item["incidentId"]["S"] == "incident-123"
    ]
    assert [message["MessageBody"] for message in queue.messages] == other[:1]


@pytest.mark.parametrize("state", ["erasing", "erased"])
async def test_nothing_of_an_erased_incident_is_stored_or_dead_lettered(
    state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even a message that is poison. It is acknowledged, counted and logged by its ID."""
    table, queue, log = _table(State.ERASING), FakeDeadLetterQueue(), StringIO()
    (key,) = table.items
    table.items[key]["metadata"]["M"]["state"]["S"] = state
    poison = json.dumps({**json.loads(body("b")), "confidence": 0.5, "recommendationId": "rec-other"})
    too_new = json.dumps({**json.loads(body("b")), "schemaVersion": 2})
    batch = event(body("a"), poison, too_new, body("a", incident_id="incident-9"), "no JSON")
    logger = Logger(service=f"consumer-test-{state}", stream=log, level="INFO")
    assert await invoke(batch, table, queue, logger=logger) == NONE_FAILED
    assert [item["incidentId"]["S"] for item in _stored(table).values()] == ["incident-9"]
    assert [message["MessageBody"] for message in queue.messages] == ["no JSON"]
    assert totals(capsys.readouterr().out)["RecommendationErased"] == 3
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["messageIds"] for line in lines if "messageIds" in line] == [["m0", "m1", "m2"]]
    assert "incident-123" not in log.getvalue()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: {"Type": "Notification", "TopicArn": "arn:aws:sns:::topic", "Message": text},
        lambda text: {"detail-type": "recommendation", "source": "opx", "detail": json.loads(text)},
        lambda text: {"eventSource": "aws:sqs", "body": json.dumps({"Message": text})},
        lambda text: [json.loads(text), {"note": "incidentId of the other is missing"}],
    ],
    ids=["SNS", "EventBridge", "Pipes around SNS", "a list"],
)
async def test_message_of_an_erased_incident_is_not_dead_lettered_inside_a_wrapper_either(wrap: Any) -> None:
    """Unless the wrapper has another incident's message too, which would be lost."""
    table, queue = _table(State.ERASING), FakeDeadLetterQueue()
    both = json.dumps([wrap(body("a")), wrap(body("b", incident_id="incident-9"))])
    batch = event(json.dumps(wrap(body("a"))), json.dumps(wrap(body("b", incident_id="incident-9"))), both)
    assert await invoke(batch, table, queue) == NONE_FAILED
    assert [message["MessageBody"] for message in queue.messages] == [each["body"] for each in batch["Records"][1:]]


async def test_wrapper_that_is_nested_without_end_is_poison_and_no_more() -> None:
    """Nothing that a message holds may fail its batch."""
    table, queue = _table(State.ERASING), FakeDeadLetterQueue()
    text = '{"incidentId":"incident-123"}'
    for _ in range(10):
        text = json.dumps({"Message": text})
    deep = "[" * 200 + '{"incidentId":"incident-123"}' + "]" * 200
    assert await invoke(event(text, deep, body("a", incident_id="incident-9")), table, queue) == NONE_FAILED
    assert [message["MessageBody"] for message in queue.messages] == [text, deep]
    assert len(_stored(table)) == 1


async def test_batch_comes_back_whole_if_the_marks_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The metrics name the cause. Nothing is written or dead-lettered, since any of it might be held or erased."""
    table, queue = FakeTable(), FakeDeadLetterQueue()

    async def refuse(_body: bytes) -> Mapping[str, Any]:
        raise client_error("AccessDeniedException")

    with pytest.raises(NothingStoredError, match="AccessDeniedException"):
        await invoke(event(*bodies(2), "no JSON"), table, queue, query=refuse)
    assert (table.requests, queue.messages) == ([], [])
    failures = [value for line in capsys.readouterr().out.splitlines() for value in read_emf(line) if value.dimensions]
    assert {(*value.dimensions, *value.values) for value in failures} == {(("ErrorType", MARKS_UNREADABLE), 3)}


async def test_throttled_requests_count_whether_they_read_marks_or_write(capsys: pytest.CaptureFixture[str]) -> None:
    """The alarm on throttling watches the table, which serves both."""
    table, throttled = FakeTable(client_error("ThrottlingException")), [client_error("ThrottlingException")]

    async def query(body: bytes) -> Mapping[str, Any]:
        if throttled:
            raise throttled.pop()
        return await table.query(body)

    assert await invoke(event(body("a")), table, query=query) == NONE_FAILED
    assert totals(capsys.readouterr().out)[PERSISTENCE_THROTTLED] == 2
