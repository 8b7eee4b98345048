"""Byte code for the Python that will run it, so that a cold start compiles nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.errors import BuildError

VARIABLE = "LAMBDA_PYTHON"

_PROBE = "import platform; print(platform.python_version())"


@dataclass(frozen=True)
class Interpreter:
    """A Python that really runs."""

    path: str
    version: str  # such as 3.13.2


def interpreter(version: str) -> Interpreter:
    """Return an interpreter of this version (`3.13`), which may be another than this one.

    Byte code is bound to a minor version of Python, so a zip for Lambda needs Lambda's to compile it. Raises
    `BuildError` if there is none: to leave the byte code out instead would make the zip depend on the machine.
    """
    for candidate in _candidates(version):
        done = subprocess.run(  # noqa: S603 - an interpreter found where interpreters are, constant arguments
            [candidate, "-I", "-c", _PROBE], capture_output=True, text=True, check=False
        )
        found = done.stdout.strip()
        if done.returncode == 0 and found.startswith(f"{version}."):
            return Interpreter(candidate, found)
    raise BuildError(
        f"there is no Python {version} here to compile with. Install one (pyenv install {version}, uv python install "
        f"{version}, brew or apt install python{version}), or name it with {VARIABLE}=/path/to/python. "
        "Without it, --no-byte-code makes a zip whose cold start takes more than twice as long"
    )


def _candidates(version: str) -> Iterator[str]:
    """Yield this interpreter, and those in the places where version managers put them without a PATH."""
    if named := os.environ.get(VARIABLE):
        yield from filter(None, [shutil.which(named)])
    yield sys.executable
    yield from filter(None, [shutil.which(f"python{version}")])
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))
    yield from map(str, sorted(Path.home().glob(f".local/share/uv/python/cpython-{version}.*/bin/python")))


def compile_tree(python: Interpreter, tree: Path, unpacked_at: str) -> None:
    """Write byte code beside every source file.

    It is never checked against its source (the zip cannot change under it), and names the folder that the tree will
    have in Lambda, in tracebacks and instead of the one that it has here. Raises `BuildError`.
    """
    command = [python.path, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(  # noqa: S603 - an interpreter that `interpreter` found, our own folder
        [*command, "-s", str(tree), "-p", unpacked_at, str(tree)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"compiling {tree} failed:\n{done.stdout}{done.stderr}")
