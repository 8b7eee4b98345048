"""Virtual environments of other people's packages, each from a lock file: the hosts of the tests and benchmarks."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.build.byte_code import interpreter
from infra.errors import BuildError
from infra.paths import ROOT

ENVIRONMENTS = ROOT / "build" / "environments"

_UV = [sys.executable, "-m", "uv", "--quiet"]
_PINNED = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]


def environment(name: str, python: str, lock: Path, cache: Path = ENVIRONMENTS) -> Path:
    """Return the Python of an environment that holds exactly what `lock` lists; create it if the lock is new.

    `python` is a minor version such as `3.12`, which must be on this machine. The environment appears complete or not
    at all, so an interrupted or concurrent run does no harm. Raises `BuildError`.
    """
    base = interpreter(python)
    digest = hashlib.sha256(lock.read_bytes() + base.path.encode() + base.version.encode()).hexdigest()[:16]
    folder = cache / f"{name}-{python}-{digest}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="creating-") as temporary:
            staged = Path(temporary, "environment")
            _run(["venv", "--python", base.path, "--relocatable", str(staged)], lock)
            if lock.stat().st_size:
                into = ["--python", str(staged / "bin" / "python"), "--requirements", str(lock)]
                _run(["pip", "install", *_PINNED, *into], lock)
            try:
                staged.rename(folder)
            except OSError:  # a concurrent run was first
                if not folder.is_dir():
                    raise
    return folder / "bin" / "python"


def _run(arguments: list[str], lock: Path) -> None:
    done = subprocess.run([*_UV, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"uv could not create the environment of {lock.name}:\n{done.stderr.strip()}")
