"""Bad input among good: poison is dead-lettered, and values that DynamoDB cannot hold are represented."""

import json
from typing import Any

import pytest

from recommendation_shared import limits
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.aws import FakeDeadLetterQueue, FakeTable
from tests.support.lambdas.event import bodies, body, envelope, event, named, redelivered
from tests.support.lambdas.invoke import invoke

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines


def _with(**changes: Any) -> str:
    return json.dumps({**json.loads(body()), **changes})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "InvalidJson", id="not JSON"),
        pytest.param("[" * 100_000, "InvalidJson", id="deeply nested brackets"),
        pytest.param("hello from the console", "InvalidJson", id="sent by hand"),
        pytest.param("{}", "InvalidEnvelope", id="no fields"),
        pytest.param(_with(recommendation="text"), "InvalidEnvelope", id="text instead of an object"),
        pytest.param(_with(citations={}), "InvalidEnvelope", id="an object instead of a list"),
        pytest.param(_with(reasoning=None), "InvalidEnvelope", id="null instead of text"),
        pytest.param(_with(retention="90"), "InvalidEnvelope", id="text instead of a number"),
        pytest.param(_with(incidentId=""), "InvalidEnvelope", id="an empty ID"),
        pytest.param(_with(incidentId=7), "InvalidEnvelope", id="a number instead of an ID"),
        pytest.param(_with(executionId="x" * 1_025), "InvalidEnvelope", id="an ID that is too long"),
        pytest.param(_with(executionId="é" * 513), "InvalidEnvelope", id="an ID that is too long in bytes"),
        pytest.param(_with(incidentId="a\x00b"), "InvalidEnvelope", id="a control character in an ID"),
        pytest.param(_with(incidentId="a\u0085b"), "InvalidEnvelope", id="a control character beyond ASCII"),
        pytest.param(_with(agentType="Not Kebab"), "InvalidEnvelope", id="an agent type with spaces"),
    ],
)
async def test_bad_input_is_dead_lettered_and_the_rest_is_stored(text: str, reason: str) -> None:
    """The dead letter keeps the body unchanged."""
    table, queue, messages = FakeTable(), FakeDeadLetterQueue(), event(*bodies(3), text, *bodies(6)[3:])
    response = await invoke(messages, table, queue)
    assert redelivered(response, messages) == set()
    assert len(table.items) == 6
    (attributes,) = queue.attributes()
    assert attributes["failureReason"] == reason
    assert queue.messages[0]["MessageBody"] == text


NESTED: Any = "leaf"
for _ in range(33):
    NESTED = {"level": NESTED}


@pytest.mark.parametrize(
    ("content", "stored"),
    [
        pytest.param(NESTED, "leaf", id="33 levels deep"),
        pytest.param({"n": 10**39 + 1}, str(10**39 + 1), id="more than 38 digits"),
        pytest.param({"n": float("nan")}, "NaN", id="NaN"),
        pytest.param({"": "no name"}, "no name", id="an empty attribute name"),
    ],
)
async def test_value_that_dynamodb_cannot_hold_is_stored_as_text(content: Any, stored: str) -> None:
    """It is not rejected, and its neighbours are stored, too."""
    table, queue = FakeTable(), FakeDeadLetterQueue()
    assert named(await invoke(event(*bodies(3), _with(recommendation=content)), table, queue)) == []
    assert len(table.items) == 4
    assert not queue.messages
    assert stored in json.dumps(table.items[envelope().recommendation_id]["recommendation"])


async def test_recommendation_of_900_kb_is_stored_trimmed_and_marked() -> None:
    """Its neighbours are stored whole."""
    table = FakeTable()
    assert named(await invoke(event(*bodies(3), body(recommendation={"log": "x" * 900_000})), table)) == []
    assert len(table.items) == 4
    item = decode_item(table.items[envelope().recommendation_id])
    (cut,) = item["metadata"]["truncated"]
    assert (cut["path"], cut["bytes"]) == ("/recommendation/log", 900_000)
    assert len(json.dumps(item["recommendation"])) < limits.ITEM_BYTES
