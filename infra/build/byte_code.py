"""Compile byte code with the Python that will run it, so that a cold start compiles nothing."""

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
    """A Python that has been run successfully."""

    path: str
    version: str  # full, such as 3.13.2


def interpreter(version: str) -> Interpreter:
    """Return an interpreter of this minor version (`3.13`), not necessarily the running one.

    Byte code works only with the minor version that compiled it, so a zip for Lambda needs Lambda's. Raises
    `BuildError` if there is none: silently leaving out the byte code would make the zip depend on the machine.
    """
    for candidate in _candidates(version):
        done = subprocess.run([candidate, "-I", "-c", _PROBE], capture_output=True, text=True, check=False)
        full_version = done.stdout.strip()
        if done.returncode == 0 and full_version.startswith(f"{version}."):
            return Interpreter(candidate, full_version)
    raise BuildError(
        f"no Python {version} was found to compile with. Install it (pyenv install {version}, uv python install "
        f"{version}, brew or apt install python{version}) or set {VARIABLE}=/path/to/python. "
        "Or use --no-byte-code, which more than doubles the cold start"
    )


def _candidates(version: str) -> Iterator[str]:
    """Yield the named interpreter, this one, and those that version managers install outside the PATH."""
    if named := os.environ.get(VARIABLE):
        yield from filter(None, [shutil.which(named)])
    yield sys.executable
    yield from filter(None, [shutil.which(f"python{version}")])
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))
    yield from map(str, sorted(Path.home().glob(f".local/share/uv/python/cpython-{version}.*/bin/python")))


def compile_tree(python: Interpreter, tree: Path, unpacked_at: str) -> None:
    """Write byte code next to every source file.

    Python will not check it against its source, because a deployed zip cannot change. Tracebacks name `unpacked_at`,
    the tree's folder in Lambda, instead of its folder here. Raises `BuildError`.
    """
    command = [python.path, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", str(tree), "-p", unpacked_at, str(tree)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"could not compile {tree}:\n{done.stdout}{done.stderr}")
