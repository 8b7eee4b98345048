import json
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from recommendation_consumer.invocation import consume
from recommendation_shared.item.agent_types import REGISTER, registered_type, registration
from tests.support.fakes.aws import FakeTable, dependencies
from tests.support.lambdas.event import Context, body, event

pytestmark = pytest.mark.usefixtures("capsys")  # for the metrics' lines


def _registered(table: FakeTable) -> list[str]:
    items: list[dict[str, Any]] = [item for item in table.items.values() if item["agentType"]["S"] == REGISTER]
    return [registered_type(item) for item in items]


async def test_an_unusual_agent_type_is_registered_in_the_request_that_stores_it() -> None:
    """So `recs incidents` finds it without a Scan, and it costs no request of its own."""
    table = FakeTable()
    response = await consume(event(body("cost-guardian"), body("consensus")), Context(), dependencies(table))
    assert response == {"batchItemFailures": []}
    assert _registered(table) == ["cost-guardian"]
    assert len(table.items) == 3
    assert len(table.requests) == 1


async def test_a_sandbox_registers_an_agent_type_once() -> None:
    """Later batches write nothing more."""
    table = FakeTable()
    surroundings = dependencies(table)
    for number in range(3):
        await consume(event(body("cost-guardian", execution_id=f"execution-{number}")), Context(), surroundings)
    key = registration("cost-guardian").recommendation_id
    assert [key in request for request in table.requests] == [True, False, False]


async def test_an_agent_type_that_could_not_be_registered_is_tried_again() -> None:
    """A registration that DynamoDB rejects fails no message."""
    key = registration("cost-guardian").recommendation_id
    table = FakeTable(invalid={key})
    surroundings = dependencies(table)
    response = await consume(event(body("cost-guardian")), Context(), surroundings)
    assert response == {"batchItemFailures": []}
    assert _registered(table) == []
    table.invalid.clear()
    await consume(event(body("cost-guardian", execution_id="execution-2")), Context(), surroundings)
    assert _registered(table) == ["cost-guardian"]


async def test_a_sandbox_registers_a_limited_number_of_agent_types() -> None:
    """An executor that puts IDs into its agent types floods neither the table nor the sandbox; all are stored."""
    table, log = FakeTable(), StringIO()
    logger = Logger(service="registering", stream=log)
    surroundings = dependencies(table, registered_types={"consensus"}, max_agent_types=3, logger=logger)
    for batch in range(3):
        flood = [body(f"agent-of-{batch}-{number}") for number in range(30)]
        assert await consume(event(*flood), Context(), surroundings) == {"batchItemFailures": []}
    assert _registered(table) == ["agent-of-0-0", "agent-of-0-1"]
    assert len(table.items) == 92
    assert len(surroundings.registered_types) == 3
    warnings = [line["message"] for line in map(json.loads, log.getvalue().splitlines()) if line["level"] == "WARNING"]
    assert [text.partition(",")[0] for text in warnings] == [
        f"Left {count} agent types unregistered" for count in (28, 30, 30)
    ]
