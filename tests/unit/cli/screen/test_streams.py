"""Closed and full standard streams of a real process: one sentence or none, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RECS = f"{sys.executable} -m recommendation_cli"


def _shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "HOME": str(folder)}
    command = command.replace("recs", RECS, 1)
    return subprocess.run(
        ["/bin/bash", "-c", command], env=environ, capture_output=True, text=True, check=False, cwd=folder
    )


@pytest.mark.parametrize(
    ("redirection", "code", "sentence"),
    [
        (">&-", 5, "Error: Standard output cannot be written: it is closed.\n"),
        ("> /dev/full", 5, "Error: Standard output cannot be written: No space left on device.\n"),
        ("> /dev/full 2> /dev/full", 5, ""),
        (">&- 2>&- <&-", 5, ""),
        ("| true; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)
@pytest.mark.parametrize("command", ["recs --help", "recs cost --incidents 1000 -o json", "recs help --all"])
def test_output_that_goes_nowhere_is_one_sentence(
    tmp_path: Path, command: str, redirection: str, code: int, sentence: str
) -> None:
    """It holds for help, tables and JSON alike."""
    done = _shell(f"{command} {redirection}", tmp_path)
    assert (done.returncode, done.stderr) == (code, sentence)


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full", "<&-"])
def test_a_command_succeeds_without_the_streams_that_it_does_not_need(tmp_path: Path, redirection: str) -> None:
    """Messages that cannot be written do not cost the result."""
    done = _shell(f"recs config set prod --table recommendations {redirection}", tmp_path)
    assert done.returncode == 0
    assert 'table = "recommendations"' in (tmp_path / ".config" / "recs" / "config.toml").read_text()


def test_a_file_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """The next file that is opened would get its descriptor, and with it every message."""
    done = _shell("recs config set prod --table recommendations 0<&- 1>&- 2>&-", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / ".config" / "recs" / "config.toml").read_text().count("\n") == 2
