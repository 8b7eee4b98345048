"""The output of scripts/view-recommendations.sh, with the real AWS CLI and jq, from a DynamoDB server."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import boto3
import pytest

from recommendation_cli.summary import summarise
from recommendation_shared.item.encoding import decode_item
from tests.integration.cli.conftest import VIEW_SCRIPT, view
from tests.support.fakes.recommendation_table import create_table, item, put

TABLE: Final = "view-script"
RECENT: Final = datetime.now(UTC) - timedelta(days=1)  # not expired by the script's own clock
LONG: Final = "A long story. " * 6_000  # 84 KB, so that twenty items exceed a page of 1 MB
ITEMS: Final = 20


@pytest.fixture(scope="module")
def dynamodb(moto_server: str) -> Iterator[Any]:
    """A client of a table with an incident that exceeds 1 MB, and expired items."""
    client = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, TABLE)
    put(
        client,
        TABLE,
        [
            item(f"agent-{n}", timestamp=RECENT - timedelta(seconds=n), incident_id="incident-big", reasoning=LONG)
            for n in range(ITEMS)
        ],
    )
    put(client, TABLE, [item("expired", incident_id="incident-big", timestamp=RECENT, retention=1)])
    put(client, TABLE, [item("expired", incident_id="incident-old", timestamp=RECENT, retention=1)])
    yield client
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.fixture
def environ(view_script_environ: dict[str, str], dynamodb: Any) -> dict[str, str]:
    """The environment of the script, with the table."""
    del dynamodb  # only its table is needed
    return {**view_script_environ, "RECOMMENDATIONS_TABLE": TABLE}


def test_more_than_a_page_is_read_to_the_end(dynamodb: Any, environ: dict[str, str]) -> None:
    """The list is newest first and omits expired items."""
    page = dynamodb.query(
        TableName=TABLE,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :i",
        ExpressionAttributeValues={":i": {"S": "incident-big"}},
    )
    assert "LastEvaluatedKey" in page, "one page holds everything, so this test would prove nothing"
    done = view(environ, "incident-big", "--json")
    assert done.returncode == 0
    documents = json.loads(done.stdout)
    assert [document["agentType"] for document in documents] == [f"agent-{number}" for number in range(ITEMS)]
    assert {document["reasoning"] for document in documents} == {LONG}


def test_the_table_has_one_line_per_recommendation(environ: dict[str, str]) -> None:
    """It shows time, agent, confidence, status and the first line of the reasoning."""
    done = view(environ, "incident-big")
    assert done.returncode == 0
    titles, *rows = done.stdout.splitlines()
    assert titles.split() == ["completed", "(UTC)", "agent", "confidence", "status", "summary"]
    assert len(rows) == ITEMS
    assert rows[0].split()[1:7] == ["agent-0", "0.87", "SUCCESS", "A", "long", "story."]
    assert max(map(len, rows)) == 200
    assert done.stderr == f"\n{ITEMS} recommendations, 1 expired hidden\n"


def test_documents_are_plain_json(dynamodb: Any, environ: dict[str, str]) -> None:
    """Values keep their types, except that a number jq cannot hold exactly becomes text."""
    recommendation: dict[str, Any] = {"null": None, "yes": True, "list": [1, "2", {"three": 0.25}], "map": {}}
    exact = {**recommendation, "exact": 2**70}
    put(dynamodb, TABLE, [item(incident_id="incident-json", timestamp=RECENT, recommendation=exact, retention=None)])
    (document,) = json.loads(view(environ, "incident-json", "--json").stdout)
    assert document["recommendation"].pop("exact") in (2**70, str(2**70))
    assert document["recommendation"] == recommendation
    assert (document["confidence"], document["retention"]) == (0.87, None)


def test_control_characters_of_agents_are_escaped(dynamodb: Any, environ: dict[str, str]) -> None:
    """The table and the JSON are safe to print, and the JSON parses to the original text."""
    hostile = "\x1b[2J\x9b31m\x7f\u202eevil\ttab 数据库"
    stored = item(incident_id="incident-hostile", timestamp=RECENT, reasoning=hostile, metadata={"status": "\x1bX"})
    put(dynamodb, TABLE, [stored])
    table = view(environ, "incident-hostile").stdout
    assert not set(table) & set("\x1b\x9b\x7f\u202e\t")
    assert r"\x1b[2J\x9b31m\x7f\u202eevil\x09tab 数据库" in table
    assert r"\x1bX" in table
    documents = view(environ, "incident-hostile", "--json").stdout
    assert not set(documents) & set("\x1b\x9b\x7f\u202e\t")
    assert json.loads(documents)[0]["reasoning"] == hostile


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"reasoning": "\n  \nsecond line"}, "second line"),
        ({"reasoning": "", "metadata": {"error": {"code": "Throttled"}}}, " code: Throttled\n"),
        ({"reasoning": ""}, " recommended_action: roll back\n"),
        ({"reasoning": "", "recommendation": {"a": 1, "unified_recommendation": {"b": 2}}}, '{"b":2}'),
        ({"confidence": 87}, " odd "),
        ({"confidence": None}, " none "),
    ],
)
def test_missing_and_unusable_values_are_shown(
    dynamodb: Any, environ: dict[str, str], fields: dict[str, Any], shown: str
) -> None:
    """Without reasoning the error or the recommendation takes its place, as in `recs`."""
    stored = item(incident_id="incident-odd", timestamp=RECENT, **fields)
    put(dynamodb, TABLE, [stored])
    assert shown in view(environ, "incident-odd").stdout


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_finding_nothing_exits_with_1(environ: dict[str, str], args: tuple[str, ...]) -> None:
    """JSON output is still valid JSON."""
    unknown = view(environ, "incident-unknown", *args)
    assert unknown.returncode == 1
    assert "no recommendation of incident-unknown in table view-script: check the ID" in unknown.stderr
    expired = view(environ, "incident-old", *args)
    assert expired.returncode == 1
    assert "everything found for incident-old has expired: 1 hidden" in expired.stderr
    for done in (unknown, expired):
        assert done.stdout.strip() == ("[]" if args else "")


def test_a_compact_index_is_completed_from_the_table(moto_server: str, environ: dict[str, str]) -> None:
    """More items than one request can fetch keep their order."""
    client: Any = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, "view-compact", compact=True)
    count = 110
    stored = [item(f"agent-{n}", timestamp=RECENT - timedelta(seconds=n), reasoning="") for n in range(count)]
    put(client, "view-compact", stored)
    done = view(environ, "incident-7", "--json", "--table", "view-compact")
    assert done.returncode == 0, done.stderr
    documents = json.loads(done.stdout)
    assert [document["agentType"] for document in documents] == [f"agent-{number}" for number in range(count)]
    assert {document["recommendation"]["recommended_action"] for document in documents} == {"roll back"}
    lines = view(environ, "incident-7", "--table", "view-compact").stdout.splitlines()
    assert "roll back" in lines[1]
    client.delete_table(TableName="view-compact")
    client.close()


def test_options_reach_the_aws_cli(environ: dict[str, str], moto_server: str) -> None:
    """They work without the environment variables."""
    bare = {name: value for name, value in environ.items() if name not in ("AWS_ENDPOINT_URL", "RECOMMENDATIONS_TABLE")}
    options = ["--table", TABLE, "--region", "us-east-1", "--endpoint-url", moto_server]
    assert view(bare, *options, "incident-big").returncode == 0


def test_a_pipe_closed_early_is_silent(environ: dict[str, str]) -> None:
    """`view-recommendations.sh … | head -1` prints no error."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" incident-big --json | head -1', VIEW_SCRIPT],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": "  First line.\nSecond line."},
        {"reasoning": "", "recommendation": {"b": "two", "unified_recommendation": {"recommended_action": "wait"}}},
        {"reasoning": "", "recommendation": {"z": "last", "a": 1, "recommended": "now", "deep": {"er": "x"}}},
        {"reasoning": "", "metadata": {"error": {"message": "no answer", "type": "Timeout", "n": 1}}},
        {"reasoning": "", "metadata": {"error": "broken"}},
        {"reasoning": " \n", "recommendation": {"numbers": [1, 2]}},
    ],
    ids=str,
)
def test_the_summary_is_the_one_that_recs_prints(
    environ: dict[str, str], dynamodb: Any, fields: dict[str, Any]
) -> None:
    """An operator who has only the AWS CLI reads the same."""
    incident = f"incident-{sha256(str(fields).encode()).hexdigest()[:8]}"
    stored = item(incident_id=incident, timestamp=RECENT, **fields)
    put(dynamodb, TABLE, [stored])
    done = view(environ, incident)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].endswith(f"  {summarise(decode_item(stored)).headline}")
