"""An artifact's dependencies, installed from its lock file and reduced to what it loads."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infra.artifacts import Artifact
from infra.byte_code import Interpreter, compile_tree
from infra.errors import BuildError

# Read by tools at build or install time, never by the function. Licences stay, as they ask to; and METADATA, from
# which libraries learn each other's versions.
_UNUSED_SUFFIXES = frozenset({".c", ".h", ".js", ".pxd", ".pyi", ".pyx", ".rst", ".typed"})
_UNUSED_METADATA = frozenset({"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json"})


@dataclass(frozen=True)
class Target:
    """Where the zip is to run."""

    platform: str
    python: str  # major.minor
    wheel_tags: tuple[str, ...] = ()  # empty: whatever fits this interpreter

    @property
    def pip_options(self) -> list[str]:
        """What makes pip choose wheels for this target rather than for itself."""
        if not self.wheel_tags:
            return []
        tags = [option for tag in self.wheel_tags for option in ("--platform", tag)]
        return [*tags, "--python-version", self.python, "--implementation", "cp"]


def _lambda_target(platform: str, machine: str) -> Target:
    # Lambda's python3.13 runs on Amazon Linux 2023, which has glibc 2.34.
    tags = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
    return Target(platform, "3.13", tuple(f"{tag}_{machine}" for tag in tags))


TARGETS = {
    "local": Target("local", f"{sys.version_info.major}.{sys.version_info.minor}"),
    "arm64": _lambda_target("arm64", "aarch64"),
    "x86_64": _lambda_target("x86_64", "x86_64"),
}


def is_needed(path: PurePosixPath, services: frozenset[str] | None) -> bool:
    """Whether the artifact needs this file of its installed dependencies; `services` None means all of AWS."""
    first, *rest = path.parts
    if first == "bin" or path.suffix in _UNUSED_SUFFIXES or "tests" in path.parts[:-1]:
        return False
    if first.endswith(".dist-info"):
        return path.name not in _UNUSED_METADATA
    if first in {"boto3", "botocore"} and rest[:1] == ["data"]:
        # A file directly in data/ (endpoints, partitions, retry rules) belongs to every service.
        shared = len(rest) == len(["data", path.name])
        return shared or ("examples" not in path.name and (services is None or rest[1] in services))
    return path.parts[:2] != ("boto3", "examples")


def install(artifact: Artifact, lock: Path, target: Target, python: Interpreter | None, cache: Path) -> Path:
    """Return the folder with the artifact's dependencies for this target, installing them if the lock file is new.

    The folder appears complete or not at all, so an interrupted or a concurrent build does no harm. Raises
    `BuildError` if pip or the compiler fails.
    """
    rules = b"".join(Path(__file__).with_name(name).read_bytes() for name in ("dependencies.py", "byte_code.py"))
    parts = repr((artifact, target, python and python.version)).encode()
    digest = hashlib.sha256(lock.read_bytes() + rules + parts).hexdigest()[:16]
    kind = f"{artifact.name}-{target.platform}-{target.python}"
    folder = cache / f"{kind}-{digest}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="installing-") as temporary:
        staged = Path(temporary, "staged")
        _pip_install(lock, target, staged)
        for file in [file for file in staged.rglob("*") if file.is_file()]:
            if not is_needed(PurePosixPath(file.relative_to(staged).as_posix()), artifact.services):
                file.unlink()
        if python:
            compile_tree(python, staged, artifact.unpacked_at)
        for older in cache.glob(f"{kind}-*"):
            shutil.rmtree(older, ignore_errors=True)
        if not folder.exists():
            staged.rename(folder)
    return folder


def _pip_install(lock: Path, target: Target, folder: Path) -> None:
    folder.mkdir()  # pip makes none for an empty lock file
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    pinned = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    done = subprocess.run(  # noqa: S603 - pip of this interpreter, our own arguments
        [*command, *pinned, *target.pip_options, "--target", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"pip could not install {lock.name} for {target.platform}:\n{done.stderr.strip()}")
