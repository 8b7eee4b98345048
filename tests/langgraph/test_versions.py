"""`persisting` with the versions of langgraph that executors run: what arrives, and that the graph notices nothing."""

import functools
from pathlib import Path
from typing import Any, Final

import pytest

from tests.langgraph.program import nodes, states, subgraphs, whole_graphs  # noqa: F401 - they register their cases
from tests.langgraph.program.running import CASES
from tests.support.foreign_program import output_of

LOCKS: Final = Path(__file__).parent / "versions"
VERSIONS: Final = ("0.2", "0.4", "0.6", "newest")
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
def answers(version: str) -> Answers:
    """Run all cases with a version, once."""
    found: Answers = output_of("tests.langgraph.program", f"langgraph-{version}", LOCKS / f"{version}.lock")
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_output_arrives_once_and_the_graph_notices_nothing(case: Any, version: str) -> None:
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
def test_the_version_is_the_one_that_it_is_called(version: str) -> None:
    """The environment is that of the lock file, not that of the tests."""
    locked = next(
        line for line in (LOCKS / f"{version}.lock").read_text().splitlines() if line.startswith("langgraph==")
    )
    installed = answers(version)["version"]
    assert locked.split()[0] == f"langgraph=={installed}"
    assert version == "newest" or installed.startswith(f"{version}.")
