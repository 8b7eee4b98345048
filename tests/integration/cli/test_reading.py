"""`recs` as a process of its own, against a DynamoDB server."""

import csv
import gc
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from infra.local import ports
from recommendation_cli.app import main
from recommendation_cli.aws.connection import EndpointError, Target, connect
from tests.support.fakes.recommendation_table import Item, create_table, item, put, recommendation_id

TABLE: Final = "cli-reading"
RECENT: Final = datetime.now(UTC) - timedelta(days=1)  # so that the process's own clock has not passed the ttl
LONG: Final = "A long story. " * 6_000  # 84 KB, so that fourteen items are more than a page of 1 MB
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
    """A client of a table with two executions of one incident, over 2 MB, and an expired item."""
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
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - our own CLI


def _terminal(environ: dict[str, str], *args: str) -> str:
    """Return what `recs` prints on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own CLI
        [sys.executable, "-m", "recommendation_cli", *args], env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 65536):
                printed += chunk
        except OSError:  # Linux: the other end was closed
            pass
        finally:
            os.close(ours)
        assert process.wait() == 0
    return printed.decode()


def test_more_than_a_page_is_read_to_the_end(dynamodb: Any, environ: dict[str, str]) -> None:
    """DynamoDB ends a page at 1 MB; newest first, over all pages, without what has expired."""
    page = dynamodb.query(
        TableName=TABLE,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :i",
        ExpressionAttributeValues={":i": {"S": "incident-big"}},
    )
    assert "LastEvaluatedKey" in page, "one page holds all, so this test would prove nothing"
    done = _recs(environ, "incident", "incident-big", "-o", "jsonl")
    assert done.returncode == 0
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(documents) == 2 * AGENTS
    timestamps = [document["timestamp"] for document in documents]
    assert timestamps == sorted(timestamps, reverse=True)
    assert {document["reasoning"] for document in documents} == {LONG}


def test_expired_items_are_hidden_unless_asked_for(environ: dict[str, str]) -> None:
    """The process's own clock decides."""
    assert "1 expired hidden" in _recs(environ, "incident", "incident-big").stderr
    shown = _recs(environ, "incident", "incident-big", "--include-expired", "-o", "csv")
    assert sum(row["agentType"] == "expired" for row in csv.DictReader(io.StringIO(shown.stdout))) == 1


def test_every_index_answers(environ: dict[str, str]) -> None:
    """By incident, by execution and by agent."""
    for args, count in ((["execution", "execution-1"], AGENTS), (["agent", "agent-3"], 2), (["agent", "expired"], 0)):
        done = _recs(environ, *args, "-o", "json")
        assert len(json.loads(done.stdout)) == count
        assert done.returncode == (0 if count else 1)


def test_a_period_and_a_limit_narrow_a_list(environ: dict[str, str]) -> None:
    """Six hours lie between the two executions."""
    recent = _recs(environ, "incident", "incident-big", "--since", "27h", "-o", "json")
    assert {document["executionId"] for document in json.loads(recent.stdout)} == {"execution-2"}
    older = _recs(environ, "incident", "incident-big", "--until", "27h", "--limit", "2", "-o", "json")
    assert [document["agentType"] for document in json.loads(older.stdout)] == ["agent-0", "agent-1"]


def test_show_notices_tampering(dynamodb: Any, environ: dict[str, str]) -> None:
    """A change of one number in the table is enough."""
    made = item(incident_id="incident-tampered", execution_id="execution-tampered", timestamp=RECENT)
    put(dynamodb, TABLE, [made])
    shown = _recs(environ, "show", recommendation_id(made))
    assert shown.returncode == 0
    assert "digest      verified" in shown.stdout
    dynamodb.update_item(
        TableName=TABLE,
        Key={"recommendationId": made["recommendationId"]},
        UpdateExpression="SET confidence = :c",
        ExpressionAttributeValues={":c": {"N": "0.88"}},
    )
    tampered = _recs(environ, "show", recommendation_id(made))
    assert tampered.returncode == 4
    assert "DOES NOT MATCH" in tampered.stdout
    assert "Traceback" not in tampered.stderr


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_a_pipe_closed_early_is_no_traceback(environ: dict[str, str], form: str) -> None:
    """As in `recs … | head -1`: the exit code is that of a program that SIGPIPE ends."""
    ours, theirs = os.pipe()
    os.close(ours)  # nobody reads
    with os.fdopen(theirs, "wb") as pipe:
        done = subprocess.run(  # noqa: S603 - our own CLI
            [sys.executable, "-m", "recommendation_cli", "incident", "incident-big", "-o", form],
            env=environ,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 141
    assert done.stderr == ""


def test_head_gets_its_line(environ: dict[str, str]) -> None:
    """In a real pipeline."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m recommendation_cli incident incident-big -o jsonl | head -1', sys.executable],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["agentType"] == "agent-0"
    assert done.stderr == ""


def test_colours_are_for_terminals_only(environ: dict[str, str]) -> None:
    """Neither a pipe nor a terminal under NO_COLOR gets a single escape sequence."""
    args = ("execution", "execution-1", "--limit", "1")
    assert "\x1b[" in _terminal(environ, *args)
    assert "\x1b" not in _terminal({**environ, "NO_COLOR": "1"}, *args)
    assert "\x1b" not in _recs(environ, *args).stdout


def test_the_width_of_a_terminal_is_respected(environ: dict[str, str]) -> None:
    """`COLUMNS` sets it."""
    printed = _terminal({**environ, "COLUMNS": "60", "NO_COLOR": "1"}, "execution", "execution-1")
    table = printed.split("14 recommendations")[0]
    assert max(map(len, table.splitlines())) == 60


def test_an_encoding_without_the_characters_is_no_traceback(environ: dict[str, str]) -> None:
    """JSON stays UTF-8, tables fall back to escapes."""
    latin = {**environ, "PYTHONIOENCODING": "latin-1"}
    whole = [sys.executable, "-m", "recommendation_cli", "incident", "incident-big", "--limit", "1"]
    table = subprocess.run(whole, env=latin, capture_output=True, check=True)  # noqa: S603 - our own CLI
    assert b"\\u2026" in table.stdout  # the ellipsis at the end of a line that was cut
    documents = subprocess.run([*whole, "-o", "json"], env=latin, capture_output=True, check=True)  # noqa: S603 - as above
    assert json.loads(documents.stdout.decode())[0]["agentType"] == "agent-0"


@pytest.mark.parametrize(
    ("changes", "args", "code", "sentence"),
    [
        ({}, ["--table", "no-such-table"], 3, "There is no table no-such-table"),
        ({}, ["--endpoint-url", "http://127.0.0.1:1"], 3, "No answer from the table"),
        ({}, ["--endpoint-url", "127.0.0.1:1"], 2, "must be a URL such as http://127.0.0.1:4566"),
        ({}, ["--profile", "nobody"], 3, "There is no AWS profile 'nobody'"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, [], 3, "No AWS region is set"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, [], 3, "No usable AWS credentials"),
    ],
)
def test_real_errors_are_explained(
    environ: dict[str, str], changes: dict[str, str], args: list[str], code: int, sentence: str
) -> None:
    """As botocore raises them."""
    kept = {name: value for name, value in (environ | changes).items() if value}
    done = _recs(kept, "incident", "incident-big", *args)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_client_speaks_to_its_target(moto_server: str, dynamodb: Any) -> None:
    """In its region, at its endpoint."""
    del dynamodb
    client: Any = connect(Target(TABLE, region="eu-west-1", endpoint_url=moto_server))
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == moto_server
    client.close()
    with pytest.raises(EndpointError, match="must be a URL such as"):
        connect(Target(TABLE, endpoint_url=ports.HOST))


def test_main_runs_the_arguments_of_the_process(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And ends the process with the command's code."""
    monkeypatch.setattr(sys, "argv", ["recs", "incident", "nope", "--endpoint-url", environ["AWS_ENDPOINT_URL"]])
    monkeypatch.setenv("RECOMMENDATIONS_TABLE", TABLE)
    collecting = gc.get_threshold()
    with os.fdopen(os.dup(1), "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as ended:
            main()
    gc.set_threshold(*collecting)
    assert ended.value.code == 1
    assert "No recommendation of incident nope" in capfd.readouterr().err
