"""`recs` as a process: on terminals and in pipes, with real errors, and with its own arguments."""

import gc
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
from recommendation_cli.__main__ import main
from recommendation_cli.aws.connection import EndpointError, Target, connect
from tests.support.fakes.recommendation_table import create_table, item, put

TABLE: Final = "cli-process"
RECENT: Final = datetime.now(UTC) - timedelta(days=1)  # not expired by the process's own clock


@pytest.fixture(scope="module")
def environ(moto_server: str) -> Iterator[dict[str, str]]:
    """The environment of `recs`, with a table of three items."""
    client: Any = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, TABLE)
    put(
        client,
        TABLE,
        [
            item(f"agent-{number}", timestamp=RECENT - timedelta(seconds=number), reasoning="A long story. " * 100)
            for number in range(3)
        ],
    )
    yield {
        **os.environ,
        "AWS_ENDPOINT_URL": moto_server,
        "RECOMMENDATIONS_TABLE": TABLE,
        "TERM": "xterm",
        "RECS_PAGER": "cat",
    }
    client.delete_table(TableName=TABLE)
    client.close()


def _recs(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recommendation_cli", *args]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def _terminal(environ: dict[str, str], *args: str) -> str:
    """Return what `recs` prints on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
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


def test_colours_are_for_terminals_only(environ: dict[str, str]) -> None:
    """Pipes, and terminals with NO_COLOR, get no escape sequences."""
    args = ("execution", "execution-1", "--limit", "1")
    assert "\x1b[" in _terminal(environ, *args)
    assert "\x1b" not in _terminal({**environ, "NO_COLOR": "1"}, *args)
    assert "\x1b" not in _recs(environ, *args).stdout


def test_the_width_of_a_terminal_is_respected(environ: dict[str, str]) -> None:
    """COLUMNS sets it."""
    printed = _terminal({**environ, "COLUMNS": "60", "NO_COLOR": "1"}, "execution", "execution-1")
    table = printed.split("3 recommendations")[0]
    assert max(map(len, table.splitlines())) == 60


def test_characters_outside_the_encoding_are_escaped(environ: dict[str, str]) -> None:
    """JSON stays UTF-8, and tables fall back to escapes."""
    latin = {**environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "recommendation_cli", "incident", "incident-7", "--limit", "1"]
    table = subprocess.run(command, env=latin, capture_output=True, check=True)
    assert b"\\u2026" in table.stdout  # the ellipsis of a truncated line
    documents = subprocess.run([*command, "-o", "json"], env=latin, capture_output=True, check=True)
    assert json.loads(documents.stdout.decode())[0]["agentType"] == "agent-0"


@pytest.mark.parametrize(
    ("changes", "args", "code", "sentence"),
    [
        ({}, ["--table", "no-such-table"], 3, "There is no table no-such-table"),
        ({}, ["--endpoint-url", "http://127.0.0.1:1"], 3, "No answer from the table"),
        ({}, ["--endpoint-url", "127.0.0.1:1"], 2, "use a URL such as http://127.0.0.1:4566"),
        ({}, ["--profile", "nobody"], 3, "There is no AWS profile 'nobody'"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, [], 3, "No AWS region is set"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, [], 3, "No usable AWS credentials"),
    ],
)
def test_real_errors_are_explained(
    environ: dict[str, str], changes: dict[str, str], args: list[str], code: int, sentence: str
) -> None:
    """They come from botocore itself."""
    nonempty = {name: value for name, value in (environ | changes).items() if value}
    done = _recs(nonempty, "incident", "incident-7", *args)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_client_uses_the_targets_region_and_endpoint(moto_server: str) -> None:
    """An endpoint that is not a URL is an error."""
    client: Any = connect(Target(TABLE, region="eu-west-1", endpoint_url=moto_server))
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == moto_server
    client.close()
    with pytest.raises(EndpointError, match="use a URL such as"):
        connect(Target(TABLE, endpoint_url=ports.HOST))


def test_main_runs_the_arguments_of_the_process(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It exits with the command's code."""
    monkeypatch.setattr(sys, "argv", ["recs", "incident", "nope", "--endpoint-url", environ["AWS_ENDPOINT_URL"]])
    monkeypatch.setenv("RECOMMENDATIONS_TABLE", TABLE)
    threshold = gc.get_threshold()
    with os.fdopen(os.dup(1), "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as exited:
            main()
    gc.set_threshold(*threshold)
    assert exited.value.code == 1
    assert "No recommendation of incident nope" in capfd.readouterr().err
