"""scripts/view-recommendations.sh with the real AWS CLI and jq, against a DynamoDB server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from tests.support.fakes.recommendation_table import create_table, item, put

ROOT: Final = Path(__file__).parents[3]
SCRIPT: Final = ROOT / "scripts" / "view-recommendations.sh"
AWS_CLI: Final = Path(f"{sys.prefix}-stack") / "bin"  # the local stack's environment has one
TABLE: Final = "view-script"
RECENT: Final = datetime.now(UTC) - timedelta(days=1)  # so that the script's clock has not passed the ttl
LONG: Final = "A long story. " * 6_000  # 84 KB, so that twenty items are more than a page of 1 MB
ITEMS: Final = 20


def _needs(tool: str, path: str) -> None:
    """Skip where a person may lack a tool; in CI a skipped run would pass unnoticed."""
    if shutil.which(tool, path=path) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{tool} is missing")
        pytest.skip(f"{tool} is missing")


@pytest.fixture(scope="module")
def dynamodb(moto_server: str) -> Iterator[Any]:
    """A client of a table with an incident of more than 1 MB."""
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
def environ(moto_server: str, dynamodb: Any) -> dict[str, str]:
    """The environment of the script."""
    del dynamodb  # only its table is needed
    path = f"{AWS_CLI}{os.pathsep}{os.environ['PATH']}"
    _needs("aws", path)
    _needs("jq", path)
    return {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": moto_server, "RECOMMENDATIONS_TABLE": TABLE}


def _view(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [SCRIPT, *args], env=environ, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_more_than_a_page_is_read_to_the_end(dynamodb: Any, environ: dict[str, str]) -> None:
    """Newest first, without what has expired."""
    page = dynamodb.query(
        TableName=TABLE,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :i",
        ExpressionAttributeValues={":i": {"S": "incident-big"}},
    )
    assert "LastEvaluatedKey" in page, "one page holds all, so this test would prove nothing"
    done = _view(environ, "incident-big", "--json")
    assert done.returncode == 0
    documents = json.loads(done.stdout)
    assert [document["agentType"] for document in documents] == [f"agent-{number}" for number in range(ITEMS)]
    assert {document["reasoning"] for document in documents} == {LONG}


def test_the_table_shows_a_line_each(environ: dict[str, str]) -> None:
    """When, who, how sure, and the first line of what it said."""
    done = _view(environ, "incident-big")
    assert done.returncode == 0
    titles, *rows = done.stdout.splitlines()
    assert titles.split() == ["completed", "(UTC)", "agent", "confidence", "status", "summary"]
    assert len(rows) == ITEMS
    assert rows[0].split()[1:7] == ["agent-0", "0.87", "SUCCESS", "A", "long", "story."]
    assert max(map(len, rows)) == 200
    assert done.stderr == f"\n{ITEMS} recommendations, 1 expired hidden\n"


def test_documents_are_plain_json(dynamodb: Any, environ: dict[str, str]) -> None:
    """Of every type; a number that jq would change is given as text instead."""
    recommendation: dict[str, Any] = {"null": None, "yes": True, "list": [1, "2", {"three": 0.25}], "map": {}}
    exact = {**recommendation, "exact": 2**70}
    put(dynamodb, TABLE, [item(incident_id="incident-json", timestamp=RECENT, recommendation=exact, retention=None)])
    (document,) = json.loads(_view(environ, "incident-json", "--json").stdout)
    assert document["recommendation"].pop("exact") in (2**70, str(2**70))
    assert document["recommendation"] == recommendation
    assert (document["confidence"], document["retention"]) == (0.87, None)


def test_agents_cannot_steer_the_terminal(dynamodb: Any, environ: dict[str, str]) -> None:
    """Neither through the table nor through JSON, which still holds their text."""
    hostile = "\x1b[2J\x9b31m\x7f\u202eevil\ttab 数据库"
    made = item(incident_id="incident-hostile", timestamp=RECENT, reasoning=hostile, metadata={"status": "\x1bX"})
    put(dynamodb, TABLE, [made])
    table = _view(environ, "incident-hostile").stdout
    assert not set(table) & set("\x1b\x9b\x7f\u202e\t")
    assert r"\x1b[2J\x9b31m\x7f\u202eevil\x09tab 数据库" in table
    assert r"\x1bX" in table
    documents = _view(environ, "incident-hostile", "--json").stdout
    assert not set(documents) & set("\x1b\x9b\x7f\u202e\t")
    assert json.loads(documents)[0]["reasoning"] == hostile


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"reasoning": "\n  \nsecond line"}, "second line"),
        ({"reasoning": "", "metadata": {"error": {"code": "Throttled"}}}, '{"code":"Throttled"}'),
        ({"reasoning": ""}, '{"recommended_action":"roll back"}'),
        ({"reasoning": "", "recommendation": {"a": 1, "unified_recommendation": {"b": 2}}}, '{"b":2}'),
        ({"confidence": 87}, " odd "),
        ({"confidence": None}, " none "),
    ],
)
def test_what_is_missing_or_odd_is_shown(
    dynamodb: Any, environ: dict[str, str], fields: dict[str, Any], shown: str
) -> None:
    """In place of the reasoning its error or the recommendation, as `recs` does."""
    made = item(incident_id="incident-odd", timestamp=RECENT, **fields)
    put(dynamodb, TABLE, [made])
    assert shown in _view(environ, "incident-odd").stdout


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_nothing_found_is_an_exit_code_of_its_own(environ: dict[str, str], args: tuple[str, ...]) -> None:
    """And JSON stays JSON."""
    unknown = _view(environ, "incident-unknown", *args)
    assert unknown.returncode == 1
    assert "no recommendation of incident-unknown in table view-script: check the ID" in unknown.stderr
    expired = _view(environ, "incident-old", *args)
    assert expired.returncode == 1
    assert "nothing current of incident-old: 1 expired hidden" in expired.stderr
    for done in (unknown, expired):
        assert done.stdout.strip() == ("[]" if args else "")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "name an incident"),
        (["a", "b"], "one incident at a time"),
        (["a", "--table"], "--table needs a value"),
        (["a", "--region", ""], "--region needs a value"),
        (["a", "--delete"], "unknown option --delete"),
    ],
)
def test_wrong_usage_ends_with_2(environ: dict[str, str], args: list[str], sentence: str) -> None:
    """And says what is wrong."""
    done = _view(environ, *args)
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("changes", "args", "sentence"),
    [
        ({}, ["--table", "no-such-table"], "there is no table no-such-table in us-east-1 at http://"),
        ({}, ["--endpoint-url", "http://127.0.0.1:1"], "no answer from table view-script"),
        ({}, ["--profile", "nobody"], "nobody"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, [], "no AWS region is set"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, [], "no AWS credentials"),
    ],
)
def test_aws_errors_are_one_sentence(
    environ: dict[str, str], changes: dict[str, str], args: list[str], sentence: str
) -> None:
    """With exit code 3."""
    # One attempt: the AWS CLI would otherwise wait seconds for an endpoint that is not there.
    kept = {name: value for name, value in ({**environ, "AWS_MAX_ATTEMPTS": "1"} | changes).items() if value}
    done = _view(kept, "incident-big", *args)
    assert done.returncode == 3
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_options_reach_the_aws_cli(environ: dict[str, str], moto_server: str) -> None:
    """Without any of the variables."""
    bare = {name: value for name, value in environ.items() if name not in ("AWS_ENDPOINT_URL", "RECOMMENDATIONS_TABLE")}
    options = ["--table", TABLE, "--region", "us-east-1", "--endpoint-url", moto_server]
    assert _view(bare, *options, "incident-big").returncode == 0


@pytest.mark.parametrize("tool", ["aws", "jq"])
def test_a_missing_tool_is_named(environ: dict[str, str], tmp_path: Path, tool: str) -> None:
    """Before anything is called."""
    for name in {"bash", "aws", "jq", "cat"} - {tool}:
        found = shutil.which(name, path=environ["PATH"])
        assert found is not None
        (tmp_path / name).symlink_to(found)
    done = _view({**environ, "PATH": str(tmp_path)}, "incident-big")
    assert done.returncode == 2
    assert f"{tool}" in done.stderr
    assert "is not on the PATH" in done.stderr


def test_a_pipe_closed_early_is_silent(environ: dict[str, str]) -> None:
    """As in `view-recommendations.sh … | head -1`."""
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/sh", "-c", '"$0" incident-big --json | head -1', SCRIPT],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[\n"
    assert done.stderr == ""


def test_help_lists_options_and_exit_codes(environ: dict[str, str]) -> None:
    """On stdout, and with success."""
    done = _view(environ, "-h")
    assert done.returncode == 0
    for text in ("--table", "--region", "--profile", "--endpoint-url", "--json", "Exit codes:"):
        assert text in done.stdout


def test_a_compact_index_is_completed_from_the_table(moto_server: str, environ: dict[str, str]) -> None:
    """Whole documents, more than one request's worth, in the same order."""
    client: Any = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, "view-compact", compact=True)
    count = 110
    made = [item(f"agent-{n}", timestamp=RECENT - timedelta(seconds=n), reasoning="") for n in range(count)]
    put(client, "view-compact", made)
    done = _view(environ, "incident-7", "--json", "--table", "view-compact")
    assert done.returncode == 0, done.stderr
    documents = json.loads(done.stdout)
    assert [document["agentType"] for document in documents] == [f"agent-{number}" for number in range(count)]
    assert {document["recommendation"]["recommended_action"] for document in documents} == {"roll back"}
    lines = _view(environ, "incident-7", "--table", "view-compact").stdout.splitlines()
    assert "roll back" in lines[1]
    client.delete_table(TableName="view-compact")
    client.close()
