"""`recs export` as a separate process, reading several pages of a DynamoDB server."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from tests.support.fakes.recommendation_table import create_table, item, put

TABLE: Final = "cli-export"
COUNT: Final = 30
LONG: Final = "A long story. " * 6_000  # 84 KB, so that thirty exceed two pages of 1 MB


@pytest.fixture(scope="module")
def environ(moto_server: str) -> Iterator[dict[str, str]]:
    """The environment of `recs`, with a table of 2.5 MB."""
    client: Any = boto3.client("dynamodb", endpoint_url=moto_server)
    create_table(client, TABLE)
    recent = datetime.now(UTC) - timedelta(days=1)
    put(client, TABLE, [item(timestamp=recent + timedelta(seconds=n), reasoning=f"{n}{LONG}") for n in range(COUNT)])
    yield {**os.environ, "AWS_ENDPOINT_URL": moto_server, "RECOMMENDATIONS_TABLE": TABLE, "TERM": "xterm"}
    client.delete_table(TableName=TABLE)
    client.close()


def _recs(environ: dict[str, str], *args: str | Path, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "recommendation_cli", "export", *map(str, args)]
    return subprocess.run(command, env=environ, check=False, **{"stderr": subprocess.PIPE, **streams})


def test_every_page_is_exported_and_verified(environ: dict[str, str], tmp_path: Path) -> None:
    """The export is complete, byte for byte."""
    file = tmp_path / "x.jsonl"
    done = _recs(environ, "incident", "incident-7", file)
    assert done.returncode == 0, done.stderr
    assert b"30 recommendations, 2.5 MB" in done.stderr
    verified = _recs(environ, "verify", file, stdout=subprocess.PIPE)
    assert verified.returncode == 0
    assert verified.stdout.startswith(b"30 recommendations verified")


def test_an_export_killed_after_a_page_can_be_resumed(environ: dict[str, str], tmp_path: Path) -> None:
    """The server accepts the key from the state file."""
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    assert _recs(environ, "agent", "consensus", whole).returncode == 0
    program = (
        "import os, signal, sys\n"
        "from recommendation_cli.export import resumable_file\n"
        "append = resumable_file.ResumableFile.append\n"
        "def once(self, page, state):\n"
        "    append(self, page, state)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "resumable_file.ResumableFile.append = once\n"
        "from recommendation_cli.__main__ import main\n"
        "sys.argv = ['recs', 'export', 'agent', 'consensus', sys.argv[1]]\n"
        "main()"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(broken)], env=environ, check=False)
    assert killed.returncode == -9
    assert not broken.exists()
    assert _recs(environ, "resume", broken).returncode == 0
    assert broken.read_bytes() == whole.read_bytes()


def test_only_a_terminal_gets_a_progress_bar(environ: dict[str, str], tmp_path: Path) -> None:
    """Elsewhere a short export prints only its last line, and here, where there is no table of reviews, that."""
    ours, theirs = pty.openpty()
    done = _recs(environ, "incident", "incident-7", tmp_path / "x.jsonl", stderr=theirs)
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert done.returncode == 0
    assert "━".encode() in shown
    quiet = _recs(environ, "incident", "incident-7", tmp_path / "y.jsonl").stderr
    _, reviews = quiet.splitlines()
    assert reviews.startswith(b"Reviews are not shown: there is no table")
    assert b"\x1b" not in quiet
