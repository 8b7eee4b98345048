"""`persisting` with the versions of langgraph that executors run: what arrives, and that the graph notices nothing."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from infra.build.environments import environment
from infra.errors import BuildError
from infra.paths import ROOT
from tests.langgraph.program import nodes, states, subgraphs, whole_graphs  # noqa: F401 - they register their cases
from tests.langgraph.program.running import CASES
from tests.support.no_account import NO_ACCOUNT

LOCKS: Final = Path(__file__).parent / "versions"
VERSIONS: Final = ("0.2", "0.4", "0.6", "newest")
NEWEST_PYTHON: Final = (3, 13)  # for which all of the locked packages have wheels
SINCE: Final = {  # the cases that older versions lack the feature for
    "commands": "0.4",
    "lists_of_commands": "0.4",
    "commands_to_the_parent_graph": "0.4",
    "commands_to_the_parent_graph_with_a_list_of_updates": "0.4",
    "commands_to_the_parent_graph_from_watched_nodes": "0.4",
    "deferred_nodes": "0.4",
    "interrupts_and_resumes": "0.4",
    "caches": "0.4",
    "injected_runtime": "0.6",
    "default_error_handlers": "newest",
    "overwrites": "newest",
    "second_version_of_the_result": "newest",
    "timeouts_and_error_handlers": "newest",
}
ONLY: Final = {"controls": "0.2"}

Answers = dict[str, Any]


@functools.cache
def _answers(version: str) -> Answers:
    python = ".".join(map(str, min(sys.version_info[:2], NEWEST_PYTHON)))
    program = [
        str(environment(f"langgraph-{version}", python, LOCKS / f"{version}.lock")),
        "-m",
        "tests.langgraph.program",
    ]
    path = os.pathsep.join(map(str, (ROOT / "producer", ROOT / "shared")))
    done = subprocess.run(
        program,
        cwd=ROOT,
        env={**NO_ACCOUNT, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    answers: Answers = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def answers() -> Callable[[str], Answers]:
    """Return a function that runs all cases with a version, once. Without a Python for it, skip, but fail in CI."""

    def of_version(version: str) -> Answers:
        try:
            return _answers(version)
        except BuildError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))

    return of_version


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_output_arrives_once_and_the_graph_notices_nothing(
    case: Any, version: str, answers: Callable[[str], Answers]
) -> None:
    """Whatever way the graph is run, its result or exception is the same as without persistence."""
    ways = answers(version)["cases"][case.name]
    if version != ONLY.get(case.name, version) or VERSIONS.index(version) < VERSIONS.index(SINCE.get(case.name, "0.2")):
        assert "unsupported" in ways
        return
    assert list(ways) == [run.__name__.lstrip("_") for run in case.runs]
    for way, answer in ways.items():
        assert answer["arrived"] == list(case.expected), way
        assert answer["dropped"] == {}, way
        assert answer["outcome"] == answer["without_persistence"], way


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_is_the_one_that_it_is_called(version: str, answers: Callable[[str], Answers]) -> None:
    """The environment is that of the lock file, not that of the tests."""
    locked = next(
        line for line in (LOCKS / f"{version}.lock").read_text().splitlines() if line.startswith("langgraph==")
    )
    installed = answers(version)["version"]
    assert locked.split()[0] == f"langgraph=={installed}"
    assert version == "newest" or installed.startswith(f"{version}.")
