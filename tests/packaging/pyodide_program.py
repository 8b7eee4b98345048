"""The program that `pyodide_run.mjs` runs: import our modules, run tests with pytest, and return the results as JSON.

`CONFIG` is set by its caller: JSON with the search path, our source roots and the test files, as seen from here.
"""

import importlib
import json
import os
import platform
import re
import sys
import warnings
from pathlib import Path
from typing import Any

CONFIG: str = globals()["CONFIG"]


def compile_sources(roots: list[str]) -> list[str]:
    """Compile every source file with warnings as errors; return the messages."""
    problems = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file in sorted(file for root in roots for file in Path(root).rglob("*.py")):
            try:
                compile(file.read_bytes(), str(file), "exec")
            except (SyntaxError, Warning) as problem:
                problems.append(f"{file}: {problem!r}")
    return problems


def import_modules(roots: list[str]) -> dict[str, str]:
    """Import every module under the roots; return what happened to each: `ok`, or the error."""
    outcomes = {}
    for root in roots:
        for file in sorted(Path(root).rglob("*.py")):
            name = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                outcomes[name] = f"needs {error.name}"
            except Exception as error:  # noqa: BLE001 - reported; the test fails
                outcomes[name] = repr(error)
            else:
                outcomes[name] = "ok"
    return outcomes


class Recorder:
    """A pytest plugin that records each test's outcome."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the worst outcome of a test's three phases."""
        if report.when == "call" or report.outcome != "passed":
            text = report.outcome if report.outcome == "passed" else f"{report.outcome}: {report.longreprtext}"
            self.outcomes[report.nodeid] = text

    def pytest_collectreport(self, report: Any) -> None:
        """Record a file that cannot be collected, and the package it needs if that is the reason."""
        if report.outcome != "passed":
            needed = re.search(r"ModuleNotFoundError: No module named '(\w+)", report.longreprtext)
            text = f"needs {needed[1]}" if needed else f"{report.outcome}: {report.longreprtext}"
            self.outcomes[report.nodeid] = text


def run_tests(files: list[str], deselected: list[str]) -> dict[str, str]:
    """Run test files with pytest, without the project's configuration and its plugins that need threads."""
    import pytest  # noqa: PLC0415 - found only now that its folder is on the path

    recorder = Recorder()
    options = ["-c", os.devnull, "--rootdir", "/project", "--import-mode", "importlib", "--noconftest", "-q"]
    options += ["-p", "no:cacheprovider", "-W", "error", "--continue-on-collection-errors"]
    options += [f"--deselect={test}" for test in deselected]
    pytest.main([*options, *files], plugins=[recorder])
    return recorder.outcomes


def main() -> str:
    """Run everything and return the results as JSON."""
    config = json.loads(CONFIG)
    sys.dont_write_bytecode = True
    sys.path[:0] = config["path"]
    results = {
        "python": platform.python_version(),
        "problems": compile_sources(config["sources"]),
        "modules": import_modules(config["sources"]),
        "tests": run_tests(config["tests"], config["deselect"]),
    }
    return json.dumps(results)


main()
