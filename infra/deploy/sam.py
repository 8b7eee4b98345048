"""The SAM CLI, which has an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.errors import DeployError


def executable() -> Path:
    """Return the SAM CLI beside this environment. Raises `DeployError` if it is not installed."""
    found = Path(f"{sys.prefix}-sam", "bin", "sam")
    if not found.exists():
        raise DeployError(
            f"the SAM CLI is missing: {found} does not exist. Install it with: make {sys.prefix}-sam/.ready"
        )
    return found


def run(*arguments: str, config: Path, stage: str) -> None:
    """Run a command for a stage, in the folder of its configuration, to which its paths are relative.

    Its output goes to the terminal. Raises `DeployError` if it fails.
    """
    _call([*arguments, "--config-file", str(config), "--config-env", stage], config.parent)


def delete(stack_name: str, region: str) -> None:
    """Delete a stack, and what was uploaded for it, without asking. Raises `DeployError` if that fails."""
    _call(["delete", "--stack-name", stack_name, "--region", region, "--no-prompts"], Path.cwd())


def _call(arguments: Sequence[str], folder: Path) -> None:
    sys.stdout.flush()
    done = subprocess.run(  # noqa: S603 - the SAM CLI of our own environment
        [str(executable()), *arguments], cwd=folder, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=False
    )
    if done.returncode != 0:
        raise DeployError(f"sam {arguments[0]} ended with exit code {done.returncode}; what it says is above")
