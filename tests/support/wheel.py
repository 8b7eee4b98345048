"""Build the project's wheel and install it into environments of their own."""

import subprocess
import sys
import venv
from pathlib import Path

from infra.paths import ROOT


def build_wheel(folder: Path, project: Path = ROOT) -> Path:
    """Build the wheel of `project` into `folder`, as `make wheel` does, and return its path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=project,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment_with(wheel: Path, folder: Path) -> Path:
    """Create a virtual environment that holds only the wheel, and return its interpreter.

    No index is asked, so the installation fails if the wheel requires anything.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-index", "--no-cache"]
    subprocess.run([*uv, "--python", str(python), str(wheel)], check=True, capture_output=True)
    return python
