"""Built zips. All tests share those in build/, because installing their dependencies takes most of the time."""

import sys
import zipfile
from pathlib import Path

from infra.build.artifacts import CONSUMER, Artifact
from infra.build.byte_code import interpreter
from infra.build.dependencies import TARGETS, Target, install
from infra.build.zips import build
from infra.paths import ROOT


def local_zip(artifact: Artifact) -> Path:
    """Build the artifact for the running Python and return the zip."""
    name = f"{artifact.name}-local-{TARGETS['local'].python}.zip"
    return Path(build("local", ROOT / "build" / name, artifact=artifact).path)


def unpack_zip(archive: Path, folder: Path) -> Path:
    """Unpack the zip into `folder` and return `folder`."""
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(folder)
    return folder


# The executor that the layer was designed for; see tests/hosts.
EXECUTOR_PYTHON = "3.12"
_EXECUTOR = Artifact("executor", (), "executor", "/var/task", sys.maxsize, "none")


def packages_of_executor(target: Target) -> Path:
    """Return a folder with the packages of that executor, for one of its Python's targets."""
    lock = ROOT / "tests" / "hosts" / "locks" / "executor.lock"
    return install(_EXECUTOR, lock, target, interpreter(target.python), ROOT / "build" / "dependencies")


def packages_of_host(target: Target = TARGETS["local"]) -> Path:
    """Return a folder with the packages that an executor may have, boto3 among them: those that the consumer locks."""
    lock = ROOT / "requirements" / f"{CONSUMER.extra}.lock"
    return install(CONSUMER, lock, target, interpreter(target.python), ROOT / "build" / "dependencies")
