"""`make` chooses a supported Python, and says in one sentence when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.paths import ROOT

# A Python of this machine that claims to be another version.
PRETENDER = """#!/bin/sh
exec '{python}' -I -c '
import platform, sys
sys.version_info = ({major}, {minor}, 0, "final", 0)
platform.python_version = lambda: "{major}.{minor}.0"
sys.executable = "{path}"
exec(sys.argv[1])
' "$2"
"""
TOOLS = ("make", "sh", "uname", "awk")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the only folder on the PATH of a machine without any Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        if (found := shutil.which(tool)) is not None:
            (folder / tool).symlink_to(found)
    return folder


def install(machine: Path, name: str, version: tuple[int, int]) -> Path:
    """Add a Python of this version under this name."""
    path = machine / name
    path.write_text(PRETENDER.format(python=sys.executable, major=version[0], minor=version[1], path=path))
    path.chmod(0o755)
    return path


def make(machine: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run make on that machine, without inheriting anything from a make that runs these tests."""
    if shutil.which("make") is None:
        pytest.skip("make is not on this machine")
    return subprocess.run(
        [str(machine / "make"), "--no-print-directory", "--directory", str(ROOT), *arguments],
        env={"PATH": str(machine), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def target(tmp_path: Path) -> tuple[str, str]:
    """Return the arguments that set up an environment that does not exist yet."""
    return f"VENV={tmp_path}/venv", f"{tmp_path}/venv/.ready"


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_any_supported_python_alone_is_enough(machine: Path, target: tuple[str, str], minor: int) -> None:
    """Current distributions ship 3.14 and no older version."""
    install(machine, "python3", (3, minor))
    planned = make(machine, *target, "--dry-run").stdout
    assert "python3 -m venv" in planned


def test_lambdas_version_is_preferred(machine: Path, target: tuple[str, str]) -> None:
    """The local stack then runs what Lambda runs."""
    for minor in (11, 13, 14):
        install(machine, f"python3.{minor}", (3, minor))
    assert "python3.13 -m venv" in make(machine, *target, "--dry-run").stdout


@pytest.mark.parametrize("version", [(3, 10), (3, 15)])
def test_unsupported_python_is_named_in_one_sentence(
    machine: Path, target: tuple[str, str], version: tuple[int, int]
) -> None:
    """It says what was found, what is supported and how to name another."""
    python = install(machine, "python3", version)
    failed = make(machine, *target)
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[0] == (
        f"error: this project supports Python 3.11 to 3.14 but found {version[0]}.{version[1]}.0 at {python}; "
        f"name a supported one: make {target[1]} PYTHON=/path/to/python3.13"
    )


def test_missing_python_is_named_in_one_sentence(machine: Path, target: tuple[str, str]) -> None:
    """Nothing was found, so none is named."""
    failed = make(machine, *target)
    assert failed.stderr.startswith("error: this project supports Python 3.11 to 3.14 but found none; name a supported")


def test_an_explicitly_named_python_is_checked_too(machine: Path, target: tuple[str, str]) -> None:
    """Otherwise pip would fail later, at the first package without a wheel."""
    install(machine, "python3.13", (3, 13))
    python = install(machine, "python3.15", (3, 15))
    failed = make(machine, *target, f"PYTHON={python}")
    assert f"but found 3.15.0 at {python};" in failed.stderr


def test_help_lists_every_public_target(machine: Path) -> None:
    """A target is public if it has a comment."""
    names = {
        line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": " in line and " ## " in line
    }
    assert {"setup", "wheel", "build", "lock-check"} <= names
    assert {line.split()[0] for line in make(machine, "help").stdout.splitlines()} == names
