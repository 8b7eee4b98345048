"""Virtual environments of other people's packages, each from a lock file: the hosts of the tests and benchmarks."""

import hashlib
from pathlib import Path

from infra.build.byte_code import interpreter
from infra.build.installation import install_pinned, run_uv, staged
from infra.paths import ROOT

ENVIRONMENTS = ROOT / "build" / "environments"


def environment(name: str, python: str, lock: Path, cache: Path = ENVIRONMENTS) -> Path:
    """Return the Python of an environment that holds exactly what `lock` lists; create it if the lock is new.

    `python` is a minor version such as `3.12`, which must be on this machine. The environment appears complete or not
    at all, so an interrupted or concurrent run does no harm. Raises `BuildError`.
    """
    base = interpreter(python)
    digest = hashlib.sha256(lock.read_bytes() + base.path.encode() + base.version.encode()).hexdigest()[:16]
    folder = cache / f"{name}-{python}-{digest}"
    if not folder.is_dir():
        task = f"create the environment of {lock.name}"
        with staged(folder) as new:
            run_uv(["venv", "--python", base.path, "--relocatable", str(new)], task)
            if lock.stat().st_size:
                install_pinned(lock, str(new / "bin" / "python"), [], task)
    return folder / "bin" / "python"
