"""`recs incidents`, `search`, `stats` and `--follow` over botocore's transport, against dynalite and moto."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.aws.connection import connect
from recommendation_cli.runtime import Runtime
from recommendation_shared.item.agent_types import registration
from tests.support.fakes.recommendation_table import COMPLETED, NOW, create_table, item, put

TABLE = "finding"
SAID = {"unified_recommendation": {"recommended_action": "roll back"}, "minority_opinions": [{"agent_id": "new-agent"}]}
ITEMS = [
    item("new-agent", timedelta(seconds=1), metadata={"status": "TIMEOUT", "durationMs": 30_000}),
    item(recommendation=SAID, reasoning="", metadata={}),
    item("knowledge-rag", timedelta(days=3), incident_id="incident-6", execution_id="execution-0"),
]


@pytest.fixture(scope="module", params=["moto_server", "dynalite"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with the items, and the register that the consumer writes."""
    url: str = request.getfixturevalue(request.param)
    client = boto3.client("dynamodb", endpoint_url=url)
    create_table(client, TABLE)
    put(client, TABLE, [*ITEMS, json.loads(registration("new-agent").body)])
    yield url
    client.delete_table(TableName=TABLE)
    client.close()


def _recs(endpoint: str, *args: str) -> Result:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    runtime = replace(Runtime(now=NOW.timestamp, environ={}, connect=connect), sleep=interrupt)
    command = ["--endpoint-url", endpoint, "--table", TABLE, *args]
    return CliRunner().invoke(recs, command, obj=runtime)


def test_incidents_of_usual_and_new_agents_are_found(endpoint: str) -> None:
    """With the read units that the server bills."""
    found = _recs(endpoint, "incidents", "-o", "json")
    assert found.exit_code == 0, found.output
    assert [(each["incidentId"], each["failed"], each["consensus"]) for each in json.loads(found.stdout)] == [
        ("incident-7", {"new-agent": 1}, "recommended_action: roll back"),
        ("incident-6", {}, None),
    ]
    assert "read 3 recommendations: " in _recs(endpoint, "incidents").stderr


def test_texts_are_found_and_runs_added_up(endpoint: str) -> None:
    """Both read nested attributes by projection."""
    found = _recs(endpoint, "search", "ROLL back", "-o", "jsonl")
    assert [json.loads(line)["agentType"] for line in found.stdout.splitlines()].count("consensus") == 1
    added = json.loads(_recs(endpoint, "stats", "--since", "7d", "-o", "json").stdout)
    (record,) = [each for each in added if each["agentType"] == "new-agent" and each["agentVersion"] is None]
    assert (record["timedOut"], record["agreement"], record["durationP50Ms"]) == (1, 0.0, 30_000)


def test_an_incident_is_followed_until_it_is_interrupted(endpoint: str) -> None:
    """What is there is printed first."""
    followed = _recs(endpoint, "incident", "incident-7", "--follow", "-o", "jsonl")
    assert followed.exit_code == 130
    assert [json.loads(line)["timestamp"] for line in followed.stdout.splitlines()] == [
        "2026-01-31T11:59:59.000000Z",
        f"{COMPLETED:%Y-%m-%dT%H:%M:%S.%f}Z",
    ]
    assert _recs(endpoint, "follow", "--until-consensus", "--since", "2d", "-o", "csv").exit_code == 0
