"""Holds on two engines, which parse the commands' expressions, with the consumer's real handler beside them."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.aws.connection import connect, create_client
from recommendation_cli.runtime import Runtime
from recommendation_consumer.handler import handler
from recommendation_shared.item.encoding import item_digest
from tests.support.fakes.aws import Clock
from tests.support.fakes.recommendation_table import NOW, create_table
from tests.support.lambdas.event import Context, again, body, event
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.marks import Sts

AGENTS: Final = ("agent-1", "agent-2", "agent-3")
MESSAGES: Final = event(*(body(agent, retention=3650) for agent in AGENTS))


@pytest.fixture(params=["moto_server", "dynalite"], ids=["whole indexes", "compact indexes"])
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The URL of an engine and a new table there."""
    url: str = request.getfixturevalue(request.param)
    client, table = boto3.client("dynamodb", endpoint_url=url), "holds"
    create_table(client, table, compact=request.param == "dynalite")
    yield url, table
    client.delete_table(TableName=table)
    client.close()


def _recs(endpoint: str, table: str, *args: str) -> Result:
    """Run a command whose waiting takes a five hundredth of its time, in which the engine's indexes catch up."""
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.now += seconds
        time.sleep(seconds / 500)

    runtime = Runtime(
        now=NOW.timestamp,
        environ={},
        connect=connect,
        create_client=lambda service, location: Sts() if service == "sts" else create_client(service, location),
        monotonic=clock.monotonic,
        sleep=sleep,
    )
    return CliRunner().invoke(recs, [*args, "--endpoint-url", endpoint, "--table", table], obj=runtime)


def _deliver(endpoint: str, table: str, *, back: bool = False) -> None:
    """Deliver all messages to a new sandbox, which knows the marks of now."""
    records = list(map(again, MESSAGES["Records"])) if back else MESSAGES["Records"]
    with lambda_sandbox(endpoint, f"{endpoint}/1/none", table):
        assert handler({"Records": records}, Context()) == {"batchItemFailures": []}


def _items(endpoint: str, table: str) -> dict[str, Any]:
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    items = client.scan(TableName=table)["Items"]
    client.close()
    return {item["agentType"]["S"]: item for item in items if item["agentType"]["S"] in AGENTS}


def test_what_is_held_stays_held_whatever_is_delivered_until_it_is_released(engine: tuple[str, str]) -> None:
    """New, redelivered or duplicated; afterwards, the items are what they were."""
    endpoint, table = engine
    _deliver(endpoint, table)
    stored = _items(endpoint, table)
    result = _recs(endpoint, table, "hold", "incident-123", "--reason", "Legal hold 42")
    assert result.exit_code == 0, result.output
    assert "incident-123: 3 recommendations held" in result.stdout
    held = _items(endpoint, table)
    for back in (False, True):
        _deliver(endpoint, table, back=back)
        assert _items(endpoint, table) == held
    for item in held.values():
        assert "ttl" not in item
        assert item["hold"]["M"]["reason"] == {"S": "Legal hold 42"}
        assert item["contentDigest"]["S"] == item_digest(item)
    listed = _recs(endpoint, table, "holds", "-o", "json")
    assert listed.exit_code == 0, listed.output
    (record,) = json.loads(listed.stdout)
    assert (record["incidentId"], record["state"]) == ("incident-123", "held")
    assert "held since" in _recs(endpoint, table, "incident", "incident-123").stdout
    result = _recs(endpoint, table, "release", "incident-123", "--reason", "Settled")
    assert result.exit_code == 0, result.output
    assert _items(endpoint, table) == stored
