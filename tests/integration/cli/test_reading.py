"""`recs` as a separate process reading a DynamoDB server."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from tests.support.fakes.recommendation_table import Item, create_table, item, put, recommendation_id

TABLE: Final = "cli-reading"
RECENT: Final = datetime.now(UTC) - timedelta(days=1)  # not expired by the process's own clock
LONG: Final = "A long story. " * 6_000  # 84 KB, so that fourteen items exceed a page of 1 MB
AGENTS: Final = 14


def _agents(execution: str, age: timedelta) -> list[Item]:
    return [
        item(
            f"agent-{number}",
            timestamp=RECENT - age - timedelta(seconds=number),
            incident_id="incident-big",
            execution_id=execution,
            reasoning=LONG,
        )
        for number in range(AGENTS)
    ]


@pytest.fixture(scope="module")
def dynamodb(moto_server: str) -> Iterator[Any]:
    """A client of a table with one incident: two executions, over 2 MB in all, and an expired item."""
    client = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, TABLE)
    put(client, TABLE, _agents("execution-2", timedelta()))
    put(client, TABLE, _agents("execution-1", timedelta(hours=6)))
    put(client, TABLE, [item("expired", incident_id="incident-big", timestamp=RECENT, retention=1, reasoning="gone")])
    yield client
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.fixture
def environ(moto_server: str, dynamodb: Any) -> dict[str, str]:
    """The environment of `recs`."""
    del dynamodb  # only its table is needed
    return {**os.environ, "AWS_ENDPOINT_URL": moto_server, "RECOMMENDATIONS_TABLE": TABLE, "TERM": "xterm"}


def _recs(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recommendation_cli", *args]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_more_than_a_page_is_read_to_the_end(dynamodb: Any, environ: dict[str, str]) -> None:
    """DynamoDB ends a page at 1 MB; the list is newest first across pages."""
    page = dynamodb.query(
        TableName=TABLE,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :i",
        ExpressionAttributeValues={":i": {"S": "incident-big"}},
    )
    assert "LastEvaluatedKey" in page, "one page holds everything, so this test would prove nothing"
    done = _recs(environ, "incident", "incident-big", "-o", "jsonl")
    assert done.returncode == 0
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(documents) == 2 * AGENTS
    timestamps = [document["timestamp"] for document in documents]
    assert timestamps == sorted(timestamps, reverse=True)
    assert {document["reasoning"] for document in documents} == {LONG}


def test_expired_items_are_hidden_unless_asked_for(environ: dict[str, str]) -> None:
    """The process's own clock decides what has expired."""
    assert "1 expired hidden" in _recs(environ, "incident", "incident-big").stderr
    shown = _recs(environ, "incident", "incident-big", "--include-expired", "-o", "csv")
    assert sum(row["agentType"] == "expired" for row in csv.DictReader(io.StringIO(shown.stdout))) == 1


def test_every_index_can_be_read(environ: dict[str, str]) -> None:
    """Lists are by incident, by execution and by agent."""
    for args, count in ((["execution", "execution-1"], AGENTS), (["agent", "agent-3"], 2), (["agent", "expired"], 0)):
        done = _recs(environ, *args, "-o", "json")
        assert len(json.loads(done.stdout)) == count
        assert done.returncode == (0 if count else 1)


def test_a_period_and_a_limit_narrow_a_list(environ: dict[str, str]) -> None:
    """The two executions are six hours apart."""
    recent = _recs(environ, "incident", "incident-big", "--since", "27h", "-o", "json")
    assert {document["executionId"] for document in json.loads(recent.stdout)} == {"execution-2"}
    older = _recs(environ, "incident", "incident-big", "--until", "27h", "--limit", "2", "-o", "json")
    assert [document["agentType"] for document in json.loads(older.stdout)] == ["agent-0", "agent-1"]


def test_show_notices_tampering(dynamodb: Any, environ: dict[str, str]) -> None:
    """Changing one number in the table is enough."""
    stored = item(incident_id="incident-tampered", execution_id="execution-tampered", timestamp=RECENT)
    put(dynamodb, TABLE, [stored])
    shown = _recs(environ, "show", recommendation_id(stored))
    assert shown.returncode == 0
    assert "digest      verified" in shown.stdout
    dynamodb.update_item(
        TableName=TABLE,
        Key={"recommendationId": stored["recommendationId"]},
        UpdateExpression="SET confidence = :c",
        ExpressionAttributeValues={":c": {"N": "0.88"}},
    )
    tampered = _recs(environ, "show", recommendation_id(stored))
    assert tampered.returncode == 4
    assert "DOES NOT MATCH" in tampered.stdout
    assert "Traceback" not in tampered.stderr


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_a_pipe_closed_early_exits_quietly(environ: dict[str, str], output: str) -> None:
    """The exit code is that of a program killed by SIGPIPE, as in `recs … | head -1`."""
    ours, theirs = os.pipe()
    os.close(ours)  # nobody reads
    with os.fdopen(theirs, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "recommendation_cli", "incident", "incident-big", "-o", output],
            env=environ,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 141
    assert done.stderr == ""


def test_head_gets_its_line(environ: dict[str, str]) -> None:
    """A real pipeline prints no error."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m recommendation_cli incident incident-big -o jsonl | head -1', sys.executable],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["agentType"] == "agent-0"
    assert done.stderr == ""
