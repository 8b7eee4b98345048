"""`recs` in a real pseudo-terminal: pager, colours, widths, Ctrl-C and prompts."""

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from tests.support.fakes.dead_letter_queue import body
from tests.support.fakes.recommendation_table import create_table, item, put
from tests.support.servers.queue_proxy import create_queues
from tests.support.terminal import in_terminal, shown

TABLE: Final = "cli-terminal"
RECENT: Final = datetime.now(UTC) - timedelta(days=1)  # not expired by the process's own clock
LIST: Final = ("incident", "incident-7")


@pytest.fixture(scope="module")
def table(moto_server: str) -> Iterator[None]:
    """A table of 200 items, more than a screen; every other agent timed out."""
    client: Any = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, TABLE)
    statuses = ("SUCCESS", "TIMEOUT")
    items = [
        item(f"agent-{n}", timestamp=RECENT - timedelta(seconds=n), metadata={"status": statuses[n % 2]})
        for n in range(200)
    ]
    put(client, TABLE, items)
    yield
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.fixture
def environ(moto_server: str, table: None, tmp_path: Path) -> dict[str, str]:
    """The environment of `recs`, without the user's own settings."""
    del table
    kept = {name: value for name, value in os.environ.items() if name not in {"PAGER", "LESS", "COLUMNS", "NO_COLOR"}}
    return {
        **kept,
        "AWS_ENDPOINT_URL": moto_server,
        "RECOMMENDATIONS_TABLE": TABLE,
        "TERM": "xterm-256color",
        "HOME": str(tmp_path),
        "RECS_PAGER": "cat",
    }


def _pager(folder: Path, script: str = 'cat > "$0.seen"') -> dict[str, str]:
    """Return a pager that keeps what it is given in a file."""
    program = folder / "pager"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"RECS_PAGER": str(program)}


def test_long_output_goes_through_the_pager_with_colours_and_notes(environ: dict[str, str], tmp_path: Path) -> None:
    """The pager stands for the terminal: its width, its colours, and the notes below the list."""
    finished = shown({**environ, **_pager(tmp_path)}, *LIST, columns=100)
    assert finished.code == 0, finished.shown
    assert finished.shown == ""
    seen = (tmp_path / "pager.seen").read_text()
    assert "\x1b[" in seen
    assert seen.count("agent-") > 200
    assert "200 recommendations. To see one in full:" in seen


@pytest.mark.parametrize(
    "changes",
    [{"RECS_PAGER": ""}, {"RECS_PAGER": "cat"}, {"TERM": "dumb", "RECS_PAGER": "false"}, {"RECS_PAGER": "/no/pager"}],
    ids=str,
)
def test_without_a_pager_the_list_is_printed(environ: dict[str, str], changes: dict[str, str]) -> None:
    """One that cannot be started is reported and does not cost the output."""
    finished = shown({**environ, **changes}, *LIST, "--limit", "3")
    assert finished.code == 0
    assert finished.shown.count("agent-") == 4
    assert ("The pager /no/pager cannot be started" in finished.shown) == ("/no/pager" in str(changes))


@pytest.mark.parametrize("args", [("--no-pager", *LIST), (*LIST, "--no-pager")], ids=["before", "after"])
def test_no_pager_prints_directly(environ: dict[str, str], tmp_path: Path, args: tuple[str, ...]) -> None:
    """Like every option, it may stand before the command or after it."""
    finished = shown({**environ, **_pager(tmp_path)}, *args)
    assert (finished.code, finished.shown.count("agent-")) == (0, 201)
    assert not (tmp_path / "pager.seen").exists()


def test_recs_pager_goes_before_pager_and_less_is_the_default(environ: dict[str, str], tmp_path: Path) -> None:
    """As with git; less leaves at once when everything fits on the screen."""
    mine = _pager(tmp_path)
    assert "agent-0" in shown({**environ, "PAGER": mine["RECS_PAGER"]}, *LIST, "--limit", "1").shown
    del environ["RECS_PAGER"]
    shown({**environ, "PAGER": mine["RECS_PAGER"]}, *LIST, "--limit", "1")
    assert "agent-0" in (tmp_path / "pager.seen").read_text()
    assert "agent-0" in shown(environ, *LIST, "--limit", "1").shown


def test_leaving_the_pager_early_is_not_an_error(environ: dict[str, str], tmp_path: Path) -> None:
    """Whoever has seen enough has not broken anything."""
    finished = shown({**environ, **_pager(tmp_path, "head -1")}, *LIST, "-o", "json")
    assert (finished.code, finished.shown) == (0, "[\n")


def test_less_is_left_with_q(environ: dict[str, str]) -> None:
    """The real pager shows a screenful and waits."""
    del environ["RECS_PAGER"]
    with in_terminal(environ, *LIST) as terminal:
        terminal.wait_for("agent-0")
        terminal.type("q")
        assert terminal.finish().code == 0


def test_errors_and_exit_codes_pass_the_pager(environ: dict[str, str], tmp_path: Path) -> None:
    """Nothing was printed, so the pager is not even started."""
    finished = shown({**environ, **_pager(tmp_path)}, "show", "rec-nothing")
    assert finished.code == 1
    assert "Error: " in finished.shown
    assert not (tmp_path / "pager.seen").exists()


def test_pipes_are_not_paged(environ: dict[str, str], tmp_path: Path) -> None:
    """Scripts get the output itself."""
    command = [sys.executable, "-m", "recommendation_cli", *LIST, "--limit", "1"]
    done = subprocess.run(
        command,
        env={**environ, **_pager(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert "agent-0" in done.stdout
    assert not (tmp_path / "pager.seen").exists()


@pytest.mark.parametrize(
    ("changes", "args", "coloured"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
    ],
    ids=str,
)
def test_colours_in_a_terminal(
    environ: dict[str, str], changes: dict[str, str], args: tuple[str, ...], coloured: bool
) -> None:
    """The option goes before the variables."""
    assert ("\x1b[" in shown({**environ, **changes}, *LIST, "--limit", "1", *args).shown) == coloured


@pytest.mark.parametrize("columns", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal_and_every_status_is_shown(environ: dict[str, str], columns: int) -> None:
    """Text is lost first."""
    listed = shown({**environ, "NO_COLOR": "1"}, *LIST, "--limit", "4", columns=columns).shown
    rows = listed.partition("4 recommendations")[0].splitlines()
    assert max(map(len, rows)) <= columns
    assert sum("! TIMEOUT" in row for row in rows) == 2


def test_a_terminal_without_a_size_gets_80_columns(environ: dict[str, str]) -> None:
    """COLUMNS=0 is not a width either."""
    plain = {**environ, "NO_COLOR": "1"}
    for changes, columns in (({}, 0), ({"COLUMNS": "0"}, 80)):
        assert "! TIMEOUT" in shown({**plain, **changes}, *LIST, "--limit", "4", columns=columns).shown


def test_followed_recommendations_appear_above_the_line_that_waits(environ: dict[str, str], moto_server: str) -> None:
    """A recommendation is shown once, soon after it is stored; Ctrl-C ends with what that cost."""
    client: Any = boto3.client("dynamodb", endpoint_url=moto_server)
    first, second = (
        item(f"agent-{agent}", incident_id="incident-live", timestamp=RECENT + timedelta(seconds=seconds))
        for agent, seconds in (("one", 1), ("two", 2))
    )
    put(client, TABLE, [first])
    with in_terminal(environ, "incident", "incident-live", "--follow", columns=120) as terminal:
        terminal.wait_for("agent-one")
        terminal.wait_for("following incident incident-live for")
        put(client, TABLE, [second])
        terminal.wait_for("agent-two")
        terminal.wait_for("2 shown")
        finished = terminal.interrupt()
    client.close()
    assert finished.code == 130
    times = [stored["timestamp"]["S"][11:23] for stored in (first, second)]
    assert [finished.shown.count(time) for time in times] == [1, 1]
    assert "2 recommendations shown, " in finished.shown
    assert "Traceback" not in finished.shown
    assert "\x1b[?25h" in finished.shown  # the cursor is there again


@pytest.mark.parametrize(
    ("args", "progress"),
    [
        (LIST, ""),
        (("incidents", "--since", "30d"), "starting"),
        (("stats",), "starting"),
        (("search", "index"), "reading"),
        (("follow",), "reading"),
    ],
)
def test_ctrl_c_exits_with_130(environ: dict[str, str], args: tuple[str, ...], progress: str) -> None:
    """The server never responds; what reads long shows so before the first answer, and there is no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with in_terminal({**environ, "AWS_ENDPOINT_URL": url}, *args) as terminal:
            connection, _ = server.accept()
            terminal.wait_for(progress)
            finished = terminal.interrupt()
            connection.close()
    assert finished.code == 130
    assert "Traceback" not in finished.shown


def test_ctrl_c_at_the_purge_prompt_exits_with_130_and_deletes_nothing(
    environ: dict[str, str], moto_server: str, tmp_path: Path
) -> None:
    """It says so."""
    sqs: Any = boto3.client("sqs", endpoint_url=moto_server)
    queue_url, dlq_url = create_queues(sqs, "cli-terminal-purge")
    sqs.send_message(QueueUrl=dlq_url, MessageBody=body(1))
    urls = ("--dlq-url", dlq_url, "--queue-url", queue_url)
    file = str(tmp_path / "saved.jsonl")
    assert shown(environ, "dlq", "save", file, *urls).code == 0
    with in_terminal(environ, "dlq", "purge", file, *urls) as terminal:
        terminal.wait_for("to continue")
        finished = terminal.interrupt()
    assert finished.code == 130
    assert "Interrupted: nothing was deleted." in finished.shown
    counts = sqs.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert counts == {"ApproximateNumberOfMessages": "1"}
    for url in (queue_url, dlq_url):
        sqs.delete_queue(QueueUrl=url)
    sqs.close()


def test_one_mfa_code_serves_the_next_run_too(environ: dict[str, str], tmp_path: Path) -> None:
    """The credentials of the assumed role are in the AWS CLI's cache, from which the second run takes them."""
    config = tmp_path / ".aws" / "config"
    config.parent.mkdir()
    config.write_text(
        "[profile keys]\naws_access_key_id = key\naws_secret_access_key = secret\n"
        "[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = keys\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/alice\n"
    )
    without_keys = {
        name: value
        for name, value in environ.items()
        if name not in {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"}
    }
    mine = {**without_keys, **_pager(tmp_path), "AWS_CONFIG_FILE": str(config)}
    with in_terminal(mine, *LIST, "--profile", "ops", "--limit", "1") as terminal:
        terminal.wait_for("Enter MFA code for arn:aws:iam::123456789012:mfa/alice:")
        terminal.type("123456\n")
        finished = terminal.finish()
    assert finished.code == 0, finished.shown
    assert "agent-0" in (tmp_path / "pager.seen").read_text()
    assert len(list((tmp_path / ".aws" / "cli" / "cache").glob("*.json"))) == 1
    again = shown(mine, *LIST, "--profile", "ops", "--limit", "1")
    assert (again.code, again.shown) == (0, "")


def test_results_go_to_their_file_while_the_bar_is_on_the_screen(environ: dict[str, str], tmp_path: Path) -> None:
    """A progress bar on stderr must not take standard output along."""
    file = tmp_path / "found.txt"
    ours, theirs = pty.openpty()
    with file.open("wb") as output:
        command = [sys.executable, "-m", "recommendation_cli", "search", "deploy", "--agent", "agent-0"]
        done = subprocess.run(command, env=environ, stdin=theirs, stdout=output, stderr=theirs, check=False)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert "agent-0" in file.read_text()
