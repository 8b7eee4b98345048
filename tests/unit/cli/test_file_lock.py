"""Machines and file systems without locks: one sentence that says so, and nothing left behind."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.paths import ROOT
from recommendation_cli.app import recs
from tests.support.fakes.dead_letter_queue import FakeSqs, body, run
from tests.support.fakes.recommendation_table import FakeDynamoDb, item, runtime

# As on Windows, where there is no module fcntl.
WITHOUT_FCNTL = """
import sys
sys.modules["fcntl"] = None
from click.testing import CliRunner
from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, item, runtime
result = CliRunner().invoke(recs, sys.argv[1:], obj=runtime(FakeDynamoDb([item()])))
print(result.exit_code, result.stderr.strip() or result.stdout[:15])
"""


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that refuses locks, as some network file systems do."""

    def refuse(*_arguments: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("no_locks")
def test_a_journal_without_locks_names_the_option_that_moves_it(tmp_path: Path) -> None:
    """Nothing is sent: two runs could not be kept apart."""
    sqs = FakeSqs()
    sqs.put(body(1))
    result = run(sqs, tmp_path, "redrive", "--yes")
    assert result.exit_code == 2
    assert "cannot be locked (No locks available): name another with --journal." in result.stderr


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize(
    "args", [("report", "incident-7", "-o", "x.html"), ("export", "incident", "incident-7", "x.csv")]
)
def test_files_without_locks_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    """It names the file."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(recs, args, obj=runtime(FakeDynamoDb([item()])))
    assert result.exit_code == 2
    assert f"Error: {args[-1].replace('incident-7', 'x.html')} cannot be written: No locks available." in result.stderr
    assert not Path("x.html.new").exists()


@pytest.mark.parametrize(
    ("args", "printed"),
    [
        (["incident", "incident-7", "-o", "jsonl"], '0 {"agentType":"c'),
        (["report", "incident-7", "-o", "-"], "0 <!doctype html>"),
        (["report", "incident-7", "-o", "x.html"], "takes file locks of POSIX, which Windows lacks; run recs in WSL."),
    ],
)
def test_without_fcntl_reading_works_and_files_say_what_they_need(
    tmp_path: Path, args: list[str], printed: str
) -> None:
    """Reading needs no locks."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FCNTL, *args],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert printed in done.stdout, done.stderr
