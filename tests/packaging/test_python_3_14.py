"""Our pure Python under CPython 3.14, as Pyodide provides it. It has no threads, and no compiled packages of ours."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from infra.paths import ROOT

HERE = Path(__file__).parent

# pytest and everything it imports, all of it pure Python.
PYTEST = ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")

ROOTS = ("cli", "consumer", "producer", "shared")

# Not available under Pyodide from npm alone: compiled packages, and those that import them.
UNAVAILABLE = {
    "aioboto3",
    "aiobotocore",
    "aws_lambda_powertools",
    "botocore",
    "click",
    "hypothesis",
    "jinja2",
    "orjson",
    "pyarrow",
    "pydantic",
    "rich",
    "starlette",
    "uvicorn",
}

# These test files need none of the above.
TESTS = (
    "tests/packaging/test_pure_python.py",
    "tests/unit/cli/report/test_markup.py",
    "tests/unit/consumer/test_deadlines.py",
    "tests/unit/shared/exact_json/test_numbers.py",
    "tests/unit/shared/item/test_attribute_value.py",
    "tests/unit/shared/item/test_size.py",
    "tests/unit/shared/test_backoff.py",
    "tests/unit/shared/test_settings.py",
)
STACK = "--stack-size=6000"  # KiB, of the 8 MiB that a process has; the tests of deep JSON need more than Node's 1 MiB
# Other tests of the contract run here too, from the day on which they no longer need a compiled package.
IMPOSSIBLE = {"test_imports.py"}  # starts processes, which Pyodide cannot
# Reading 200 levels back exceeds what CPython allows itself of WebAssembly's stack.
TOO_DEEP = (
    "tests/unit/shared/envelope/test_writing.py::"
    "test_value_that_json_cannot_represent_is_marked_and_listed[deep-<nested too deeply>]"
)
CONTRACT = sorted(
    file.relative_to(ROOT).as_posix()
    for file in (ROOT / "tests" / "unit" / "shared").rglob("test_*.py")
    if file.name not in IMPOSSIBLE
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what `pyodide_program.py` reports."""
    bundled = Path(sys.prefix, "bin", "node")
    node = str(bundled) if bundled.exists() else shutil.which("node")
    if node is None or not (HERE / "node_modules" / "pyodide").exists():
        _cannot_run("Pyodide or Node.js is missing. Run `make setup` in the project folder.")
    site = tmp_path_factory.mktemp("site")
    for package in PYTEST:
        source = Path(sysconfig.get_path("purelib"), package)
        if source.is_dir():
            shutil.copytree(source, site / package, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, site)
    config = {
        "folders": {"/project": str(ROOT), "/site": str(site)},
        "path": [*(f"/project/{root}" for root in ROOTS), "/site", "/project"],
        "sources": [f"/project/{root}" for root in ROOTS],
        "tests": [f"/project/{test}" for test in sorted({*TESTS, *CONTRACT})],
        "deselect": [TOO_DEEP],
    }
    done = subprocess.run(
        [str(node), STACK, str(HERE / "pyodide_run.mjs"), str(HERE / "pyodide_program.py"), json.dumps(config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _cannot_run(why: str) -> None:
    """Skip on a developer's machine; in CI, an untested Python would go unnoticed, so fail."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def test_the_interpreter_is_3_14(results: Any) -> None:
    """The other tests would otherwise show nothing."""
    assert results["python"].startswith("3.14.")


def test_every_source_file_compiles_without_a_warning(results: Any) -> None:
    """CPython 3.14 warns about syntax that 3.13 accepts."""
    assert results["problems"] == []


def test_every_module_imports_as_far_as_its_dependencies_are_there(results: Any) -> None:
    """A module fails only because a package that Pyodide lacks is missing."""
    failed = {name: outcome for name, outcome in results["modules"].items() if outcome != "ok"}
    assert {outcome.removeprefix("needs ").split(".")[0] for outcome in failed.values()} <= UNAVAILABLE, failed
    imported = results["modules"].keys() - failed.keys()
    assert imported >= {
        "recommendation_producer",
        "recommendation_producer.langgraph",
        "recommendation_shared.limits",
        "recommendation_shared.settings",
        "recommendation_shared.metrics",
    }


def test_tests_of_pure_python_pass(results: Any) -> None:
    """Every test passes, except in files that need a package which Pyodide lacks."""
    lacking = {
        name: outcome.removeprefix("needs ") for name, outcome in results["tests"].items() if "needs " in outcome
    }
    assert set(lacking.values()) <= UNAVAILABLE, lacking
    ran = {name: outcome for name, outcome in results["tests"].items() if name not in lacking}
    assert {name: outcome for name, outcome in ran.items() if outcome != "passed"} == {}
    for test in TESTS:
        assert any(name.startswith(f"{test}::") for name in ran), test
