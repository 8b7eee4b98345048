"""Install an artifact's dependencies from its lock file and keep only the files it loads."""

import contextlib
import hashlib
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infra.build.artifacts import FUNCTION_PYTHON, Artifact
from infra.build.byte_code import Interpreter, compile_tree
from infra.build.installation import install_pinned, staged

_INSTALLER_FILES = frozenset({".lock", "bin"})

# Read by tools at build or install time, never by the function. Licences stay because they require it, and METADATA
# because libraries read each other's versions from it.
_UNUSED_SUFFIXES = frozenset({".c", ".h", ".js", ".pxd", ".pyi", ".pyx", ".rst", ".typed"})
_UNUSED_METADATA = frozenset({"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json"})

# How an installed folder is made is one of its inputs.
_RULES = ("dependencies.py", "installation.py", "byte_code.py")
_UNUSED_SECONDS = 24 * 3600  # after which no concurrent build can still be reading an installed folder


@dataclass(frozen=True)
class Target:
    """The platform and the Python that will run the zip."""

    platform: str
    python: str  # major.minor
    wheels_for: str | None = None  # uv's name for the platform; None means this machine and interpreter

    @property
    def uv_options(self) -> list[str]:
        """The options that make uv choose wheels for this target instead of this machine."""
        if self.wheels_for is None:
            return []
        return ["--python-platform", self.wheels_for, "--python-version", self.python]


# Lambda's python3.12 and later run on Amazon Linux 2023, which has glibc 2.34.
TARGETS = {
    "local": Target("local", f"{sys.version_info.major}.{sys.version_info.minor}"),
    "arm64": Target("arm64", FUNCTION_PYTHON, "aarch64-manylinux_2_34"),
    "x86_64": Target("x86_64", FUNCTION_PYTHON, "x86_64-manylinux_2_34"),
}
ANYWHERE = Target("every platform", "3.11 or later")  # for pure Python without byte code


def is_needed(path: PurePosixPath, services: frozenset[str] | None) -> bool:
    """Return whether the artifact needs this file of its dependencies; `services` None means all AWS services."""
    first, *rest = path.parts
    if first in _INSTALLER_FILES or path.suffix in _UNUSED_SUFFIXES or "tests" in path.parts[:-1]:
        return False
    if first.endswith(".dist-info"):
        return path.name not in _UNUSED_METADATA
    if first in {"boto3", "botocore"} and rest[:1] == ["data"]:
        # Files directly in data/ (endpoints, partitions, retry rules) apply to every service.
        shared = len(rest) == len(["data", path.name])
        return shared or ("examples" not in path.name and (services is None or rest[1] in services))
    return path.parts[:2] != ("boto3", "examples")


def install(artifact: Artifact, lock: Path, target: Target, python: Interpreter | None, cache: Path) -> Path:
    """Return the folder of the artifact's dependencies for this target, and install them if the lock file changed.

    The folder appears complete or not at all, so an interrupted or concurrent build does no harm. Raises `BuildError`
    if uv or the compiler fails.
    """
    rules = b"".join(Path(__file__).with_name(name).read_bytes() for name in _RULES)
    parts = repr((artifact, target, python and python.version)).encode()
    digest = hashlib.sha256(lock.read_bytes() + rules + parts).hexdigest()[:16]
    kind = f"{artifact.name}-{target.platform}-{target.python}"
    folder = cache / f"{kind}-{digest}"
    if folder.is_dir():
        os.utime(folder)
        return folder
    with staged(folder) as new:
        _install_wheels(lock, target, new)
        for file in [file for file in new.rglob("*") if file.is_file()]:
            if not is_needed(PurePosixPath(file.relative_to(new).as_posix()), artifact.services):
                file.unlink()
        if python:
            compile_tree(python, new, artifact.unpacked_at)
    for other in cache.glob(f"{kind}-*"):
        with contextlib.suppress(FileNotFoundError):  # a concurrent build removed it
            if other != folder and other.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
    return folder


def _install_wheels(lock: Path, target: Target, folder: Path) -> None:
    folder.mkdir()  # uv creates none for an empty lock file
    task = f"install {lock.name} for {target.platform}, Python {target.python}"
    install_pinned(lock, sys.executable, [*target.uv_options, "--target", str(folder)], task)
