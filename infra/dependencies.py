"""The consumer's dependencies, installed from its lock file and reduced to what the function loads."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# The AWS services whose API descriptions ship; botocore carries some four hundred.
SERVICES = frozenset({"dynamodb", "sqs"})

# Read by tools at build or install time, never by the function. Licences stay, as they ask to.
_UNUSED_SUFFIXES = frozenset({".c", ".h", ".js", ".pxd", ".pyi", ".pyx", ".rst", ".typed"})
_UNUSED_METADATA = frozenset({"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json"})


class BuildError(Exception):
    """The zip cannot be built; the text says why and what to do."""


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


def is_needed(path: PurePosixPath) -> bool:
    """Whether the function needs this file of its installed dependencies."""
    first, *rest = path.parts
    if first == "bin" or path.suffix in _UNUSED_SUFFIXES or "tests" in path.parts[:-1]:
        return False
    if first.endswith(".dist-info"):
        return path.name not in _UNUSED_METADATA
    if first in {"boto3", "botocore"} and rest[:1] == ["data"]:
        # A file directly in data/ (endpoints, partitions, retry rules) belongs to every service.
        return len(rest) == len(["data", path.name]) or (rest[1] in SERVICES and "examples" not in path.name)
    return path.parts[:2] != ("boto3", "examples")


def compiling_python(version: str) -> str | None:
    """Return an interpreter of exactly this version that really runs, or None.

    Byte code is bound to a Python version, so a zip for Lambda needs Lambda's version to compile it.
    """
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in (sys.executable, shutil.which(f"python{version}")):
        if candidate is None:
            continue
        done = subprocess.run(  # noqa: S603 - an interpreter found on PATH, constant arguments
            [candidate, "-I", "-c", probe], capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return None


def compile_tree(python: str, tree: Path) -> None:
    """Write byte code beside every source file, so that a cold start compiles nothing.

    The byte code is never checked against its source (the zip cannot change under it), and names
    Lambda's own folder in tracebacks.
    """
    command = [python, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(  # noqa: S603 - our own interpreter and folder
        [*command, "-s", str(tree), "-p", "/var/task", str(tree)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"compiling {tree} failed:\n{done.stdout}{done.stderr}")


def install(lock: Path, target: Target, python: str | None, cache: Path) -> Path:
    """Return the folder with the target's dependencies, installing them if the lock file is new.

    The folder appears complete or not at all, so an interrupted or a concurrent build does no harm.
    """
    rules = Path(__file__).read_bytes()
    digest = hashlib.sha256(lock.read_bytes() + rules + (python or "no byte code").encode()).hexdigest()[:16]
    folder = cache / f"{target.platform}-{target.python}-{digest}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="installing-") as temporary:
        staged = Path(temporary, "staged")
        _pip_install(lock, target, staged)
        for file in [file for file in staged.rglob("*") if file.is_file()]:
            if not is_needed(PurePosixPath(file.relative_to(staged).as_posix())):
                file.unlink()
        if python:
            compile_tree(python, staged)
        for older in cache.glob(f"{target.platform}-{target.python}-*"):
            shutil.rmtree(older, ignore_errors=True)
        if not folder.exists():
            staged.rename(folder)
    return folder


def _pip_install(lock: Path, target: Target, folder: Path) -> None:
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
