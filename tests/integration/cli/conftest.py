import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from infra.paths import ROOT

VIEW_SCRIPT: Final = ROOT / "scripts" / "view-recommendations.sh"
_AWS_CLI: Final = Path(f"{sys.prefix}-stack") / "bin"  # the local stack's environment has one


def _needs(tool: str, path: str) -> None:
    """Skip the test if a tool is missing; fail in CI, where a skipped test would go unnoticed."""
    if shutil.which(tool, path=path) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{tool} is missing")
        pytest.skip(f"{tool} is missing")


@pytest.fixture
def view_script_environ(moto_server: str) -> dict[str, str]:
    """The environment of view-recommendations.sh, with the AWS CLI and jq on the path."""
    path = f"{_AWS_CLI}{os.pathsep}{os.environ['PATH']}"
    _needs("aws", path)
    _needs("jq", path)
    return {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": moto_server}


def view(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    """Run view-recommendations.sh."""
    return subprocess.run(
        [VIEW_SCRIPT, *args], env=environ, capture_output=True, text=True, encoding="utf-8", check=False
    )
