"""Installing pinned packages with uv, into a folder that appears complete or not at all."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.errors import BuildError

_PINNED = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a path at which to create a folder, which becomes `folder` at the end of the block.

    An interrupted or concurrent run therefore does no harm.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="installing-") as temporary:
        path = Path(temporary, "staged")
        yield path
        try:
            path.rename(folder)
        except OSError:  # a concurrent run was first and may already be using its folder
            if not folder.is_dir():
                raise


def install_pinned(lock: Path, python: str, options: Sequence[str], task: str) -> None:
    """Install exactly what `lock` lists, with the interpreter at `python`. Raises `BuildError`, as `run_uv` does.

    uv takes a second where pip takes ten, and installs for any platform from any other.
    """
    run_uv(["pip", "install", "--python", python, *_PINNED, "--requirements", str(lock), *options], task)


def run_uv(arguments: Sequence[str], task: str) -> None:
    """Run uv. Raises `BuildError` with its message if it fails; `task` completes "uv could not"."""
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"uv could not {task}:\n{done.stderr.strip()}")
