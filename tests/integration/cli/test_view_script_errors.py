"""How scripts/view-recommendations.sh fails."""

import shutil
from pathlib import Path

import pytest

from tests.integration.cli.conftest import view


@pytest.fixture
def environ(view_script_environ: dict[str, str]) -> dict[str, str]:
    """The environment of the script, with a table that is never reached."""
    return {**view_script_environ, "RECOMMENDATIONS_TABLE": "view-script"}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "name an incident"),
        (["a", "b"], "only one incident at a time"),
        (["a", "--table"], "--table needs a value"),
        (["a", "--region", ""], "--region needs a value"),
        (["a", "--delete"], "unknown option --delete"),
    ],
)
def test_usage_errors_exit_with_2(environ: dict[str, str], args: list[str], sentence: str) -> None:
    """The message says what is wrong."""
    done = view(environ, *args)
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
    """They exit with 3."""
    # One attempt: otherwise the AWS CLI waits seconds for an endpoint that does not exist.
    nonempty = {name: value for name, value in ({**environ, "AWS_MAX_ATTEMPTS": "1"} | changes).items() if value}
    done = view(nonempty, "incident-big", *args)
    assert done.returncode == 3
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("tool", ["aws", "jq"])
def test_a_missing_tool_is_named(environ: dict[str, str], tmp_path: Path, tool: str) -> None:
    """The script exits with 2 before it calls AWS."""
    for name in {"bash", "aws", "jq", "cat"} - {tool}:
        program = shutil.which(name, path=environ["PATH"])
        assert program is not None
        (tmp_path / name).symlink_to(program)
    done = view({**environ, "PATH": str(tmp_path)}, "incident-big")
    assert done.returncode == 2
    assert f"{tool}" in done.stderr
    assert "is not on the PATH" in done.stderr


def test_help_lists_options_and_exit_codes(environ: dict[str, str]) -> None:
    """It goes to stdout and exits with 0."""
    done = view(environ, "-h")
    assert done.returncode == 0
    for text in ("--table", "--region", "--profile", "--endpoint-url", "--json", "Exit codes:"):
        assert text in done.stdout
