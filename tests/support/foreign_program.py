"""Programs that run with the packages of a host instead of the project's own, and print JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from infra.build.environments import environment
from infra.errors import BuildError
from infra.paths import ROOT
from tests.support.no_account import NO_ACCOUNT

_NEWEST_PYTHON: Final = (3, 13)  # for which all of the locked packages have wheels
_PATH: Final = os.pathsep.join(str(ROOT / folder) for folder in ("", "producer", "shared"))


def output_of(module: str, name: str, lock: Path) -> Any:
    """Run a module of the tests in the environment `name`, which holds what `lock` lists; return what it prints.

    Without a Python for the environment, skip, but fail in CI.
    """
    python = ".".join(map(str, min(sys.version_info[:2], _NEWEST_PYTHON)))
    try:
        interpreter = environment(name, python, lock)
    except BuildError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    done = subprocess.run(
        [str(interpreter), "-m", module],
        cwd=ROOT,
        env={**NO_ACCOUNT, "PYTHONPATH": _PATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
