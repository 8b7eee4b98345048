"""The SAM CLI, which has its own virtual environment."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.errors import DeployError


def executable() -> Path:
    """Return the path of the SAM CLI. Raises `DeployError` if it is not installed."""
    path = Path(f"{sys.prefix}-sam", "bin", "sam")
    if not path.exists():
        raise DeployError(
            f"the SAM CLI is missing: {path} does not exist. Install it with: make {sys.prefix}-sam/.ready"
        )
    return path


def run(*arguments: str, config: Path, stage: str) -> None:
    """Run a command for a stage, in the folder of the configuration, to which its paths are relative.

    The output goes to the terminal. Raises `DeployError` if the command fails.
    """
    _call([*arguments, "--config-file", str(config), "--config-env", stage], config.parent)


def delete(stack_name: str, region: str) -> None:
    """Delete a stack and the files uploaded for it, without asking. Raises `DeployError` if that fails."""
    _call(["delete", "--stack-name", stack_name, "--region", region, "--no-prompts"], Path.cwd())


def _call(arguments: Sequence[str], folder: Path) -> None:
    sys.stdout.flush()
    done = subprocess.run(
        [str(executable()), *arguments], cwd=folder, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=False
    )
    if done.returncode != 0:
        raise DeployError(f"sam {arguments[0]} failed with exit code {done.returncode}; see its output above")
