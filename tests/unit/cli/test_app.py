import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from infra.paths import ROOT
from recommendation_cli.app import recs
from recommendation_cli.aws.errors import ExitCode
from recommendation_cli.runtime import Runtime
from recommendation_shared.settings import Settings
from tests.support.fakes.recommendation_table import NOW, FakeDynamoDb, items, runtime

_EXTRA = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["cli"]
_REQUIRED = sorted(requirement.partition(">")[0] for requirement in _EXTRA)
HEAVY = ("boto3", "botocore", "rich", "pydantic", "pydantic_core", "orjson", "pyarrow")


def _run(client: FakeDynamoDb, *args: str) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client))


def _python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command", ["", "show", "diff", "export period", "report", "cost", "doctor", "dlq restore"], ids=lambda name: name
)
def test_help_imports_nothing_heavy(command: str) -> None:
    """Help is instant: an operator asks for it in the middle of an incident."""
    program = (
        "import sys; from recommendation_cli.app import recs\n"
        f"recs([*{command.split()}, '--help'], standalone_mode=False)\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "sys.exit(f'imported: {loaded}' if loaded else 0)"
    )
    done = _python("-c", program)
    assert done.returncode == 0, done.stderr
    assert "Usage: " in done.stdout


def test_the_package_can_be_run() -> None:
    """`python -m recommendation_cli` runs `recs` under that name."""
    done = _python("-m", "recommendation_cli", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("recs, version ")
    assert "Usage: recs " in _python("-m", "recommendation_cli", "--help").stdout


@pytest.mark.parametrize("name", _REQUIRED)
def test_recs_names_a_missing_dependency_before_it_runs(tmp_path: Path, name: str) -> None:
    """It exits as for a usage error, although help alone would need nothing but click."""
    for other in set(_REQUIRED) - {name}:
        (tmp_path / f"{other}.py").touch()
    path = os.pathsep.join([str(tmp_path), *(str(ROOT / side) for side in ("cli", "shared"))])
    done = subprocess.run(
        [sys.executable, "-S", "-m", "recommendation_cli", "--help"],  # -S hides what is installed
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"recs needs {name}, which is not installed: install the wheel or the checkout with [cli].\n"
    )


def _commands(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*names, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *names, name)


@pytest.mark.parametrize("names", list(_commands(recs)), ids=" ".join)
def test_every_help_has_an_example_of_its_command(names: tuple[str, ...]) -> None:
    """Examples fit in 100 columns."""
    help_text = _run(FakeDynamoDb(), *names, "-h").stdout
    assert "Example" in help_text
    assert f"recs {' '.join(names)}" in help_text.partition("Example")[2]
    assert max(map(len, help_text.splitlines())) <= 100


@pytest.mark.parametrize("names", [(), ("dlq",), ("export",)], ids=" ".join)
def test_every_command_is_listed_with_its_whole_first_sentence(names: tuple[str, ...]) -> None:
    """Click shortens a sentence that does not fit in 80 columns."""
    listed = _run(FakeDynamoDb(), *names, "-h").stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert listed
    assert [line for line in listed.splitlines() if not re.fullmatch(r"  \w+ +[A-Z].*[^.]\.", line)] == []


def test_help_and_documentation_list_every_exit_code() -> None:
    """Each has a meaning in both."""
    codes = _run(FakeDynamoDb(), "--help").stdout.partition("Exit codes:")[2]
    assert {int(code) for code in re.findall(r"^ +(\d+)  ", codes, re.MULTILINE)} == {0, 2, *ExitCode}
    page = (ROOT / "docs" / "recs.md").read_text().partition("## Exit codes")[2]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == {0, 2, *ExitCode}


def test_help_names_the_real_default_table() -> None:
    """The text repeats it, because importing the settings would make help slow."""
    assert Settings.from_env({}).table_name in " ".join(_run(FakeDynamoDb(), "incident", "--help").stdout.split())


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["incident"],
        ["incident", ""],
        ["incident", "x" * 1025],
        ["incident", "\udcff"],
        ["incident", "i", "--limit", "0"],
        ["incident", "i", "--since", "tomorrow"],
        ["incident", "i", "--min-confidence", "87"],
        ["incident", "i", "--min-confidence", "high"],
        ["incident", "i", "--min-confidence", "nan"],
        ["agent", "consensus", "--agent", "consensus"],
        ["completion", "powershell"],
        ["incident", "i", "--since", "2026-02-01", "--until", "2026-01-01"],
        ["incident", "i", "-o", "xml"],
        ["show", "rec-1", "--limit", "3"],
        ["delete", "everything"],
    ],
)
def test_usage_errors_exit_with_2(args: list[str]) -> None:
    """Nothing is read."""
    client = FakeDynamoDb(items(1))
    assert _run(client, *args).exit_code == 2
    assert client.queries == []


def test_an_interrupt_exits_with_130() -> None:
    """It prints no traceback, and is not mistaken for "nothing found"."""

    class Interrupted(FakeDynamoDb):
        def query(self, **_parameters: Any) -> Mapping[str, Any]:
            raise KeyboardInterrupt

    result = _run(Interrupted(), "incident", "incident-7")
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_the_process_has_the_real_clock_and_environment() -> None:
    """Clients are created only when a command needs them."""
    real = Runtime.of_process()
    assert real.environ is os.environ
    assert real.now() > NOW.timestamp()


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        ("incident", "recs incidents lists recent incidents."),
        ("timeline", "recs incidents lists recent incidents."),
        ("report", "recs incidents lists recent incidents."),
        ("export incident", "recs incidents lists recent incidents."),
        ("execution", "recs incident INCIDENT_ID lists an incident's executions."),
        ("diff", "recs incident INCIDENT_ID lists an incident's executions."),
        ("show", "recs incident INCIDENT_ID lists an incident's recommendations."),
    ],
)
def test_who_does_not_know_the_id_learns_where_to_find_it(command: str, remedy: str) -> None:
    """The error for a missing ID names the command that lists such IDs."""
    result = _run(FakeDynamoDb(), *command.split())
    assert result.exit_code == 2
    assert remedy in result.stderr


def test_a_command_does_not_wait_for_the_others_to_be_imported() -> None:
    """Every command would cost what all of them cost; a mistyped name is still compared with all names."""
    program = (
        "import sys; from recommendation_cli.app import recs\n"
        "recs(['show', '--help'], standalone_mode=False)\n"
        "sys.exit(' '.join(name for name in sys.modules if name.endswith(('.command', '.commands'))))"
    )
    assert _python("-c", program).stderr == "recommendation_cli.reading.commands\n"
    assert "Did you mean 'show'?" in _run(FakeDynamoDb(), "shwo").stderr
