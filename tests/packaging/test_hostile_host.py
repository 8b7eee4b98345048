"""The packages work behind a host whose own modules have every name that ours might be mistaken for.

Lambda puts the function's folder before the layer's, so `from shared import limits` in our code would import the
host's `shared`.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.build.artifacts import CONSUMER, LAYER, LAYER_PYTHONS, Artifact
from infra.build.byte_code import Interpreter, interpreter
from infra.errors import BuildError
from infra.paths import ROOT
from tests.support.lambdas.zips import local_zip, packages_of_host, unpack_zip

# A host module cannot be imported by accident, not even where an ImportError would be handled.
HOSTILE_MODULE = """
import os
os.write(2, f"imported the host's {__name__}".encode())
os._exit(99)
"""

# Imports every module of the packages named, with the path that Lambda would have.
PROBE = """
import importlib, pkgutil, sys
path, *packages = sys.argv[1:]
sys.path[:0] = path.split(":")
for package in packages:
    imported = importlib.import_module(package)
    for module in pkgutil.walk_packages(imported.__path__, f"{package}."):
        importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if name.partition(".")[0] in packages))
"""

TYPICAL_NAMES = {"cli", "consumer", "infra", "limits", "metrics", "producer", "shared"}


def names_of_ours(artifact: Artifact) -> set[str]:
    """Return the name of each of our folders and modules that a host could use for a module of its own."""
    files = [file for package in artifact.packages for file in (ROOT / package).rglob("*.py")]
    names = {file.stem for file in files} | {file.parent.name for file in files}
    names -= {"__init__", *(Path(package).name for package in artifact.packages)}
    # A host cannot have a module called `queue` or `langgraph`: it would break the host itself.
    return {*names, *TYPICAL_NAMES} - sys.stdlib_module_names - {"langgraph"}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Return the host's /var/task, which holds nothing but hostile modules and packages."""
    folder = tmp_path / "task"
    for name in names_of_ours(CONSUMER) | names_of_ours(LAYER):
        package = folder / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(HOSTILE_MODULE)
    for name in ("cli", "infra", "limits", "metrics"):
        shutil.move(folder / name / "__init__.py", folder / f"{name}.py")
        (folder / name).rmdir()
    return folder


def import_all(
    artifact: Artifact, path: Sequence[Path], python: str = sys.executable
) -> "subprocess.CompletedProcess[str]":
    """Import every module of the artifact's packages in an interpreter that sees only `path` and its own library."""
    packages = [Path(package).name for package in artifact.packages]
    return subprocess.run(
        [python, "-I", "-S", "-B", "-c", PROBE, ":".join(map(str, path)), *packages],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )


@pytest.fixture(scope="module", params=[CONSUMER, LAYER], ids=lambda artifact: artifact.name)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, list[Path]]:
    """Return an artifact and the folders of its packages, and of those that an executor has, for this interpreter."""
    folder = unpack_zip(local_zip(request.param), tmp_path_factory.mktemp("unpacked"))
    return request.param, [folder / request.param.prefix, *([] if request.param is CONSUMER else [packages_of_host()])]


def test_no_module_of_the_host_is_imported(installed: tuple[Artifact, list[Path]], host: Path) -> None:
    """Every module of ours is imported, also those that are normally imported late."""
    artifact, packages = installed
    done = import_all(artifact, [host, *packages])
    assert (done.returncode, done.stderr) == (0, "")
    public = {
        CONSUMER: {"recommendation_consumer.handler", "recommendation_shared.envelope"},
        LAYER: {"recommendation_producer", "recommendation_producer.langgraph"},
    }
    assert set(done.stdout.split()) >= public[artifact]


def test_an_import_by_a_bare_name_would_be_noticed(
    installed: tuple[Artifact, list[Path]], host: Path, tmp_path: Path
) -> None:
    """A copy of our packages with one such import reaches the host's module, and the probe fails."""
    artifact, packages = installed
    mutated = tmp_path / "mutated"
    for package in artifact.packages:
        shutil.copytree(ROOT / package, mutated / Path(package).name)
    limits = mutated / "recommendation_shared" / "limits.py"
    limits.write_text(f"{limits.read_text()}\nfrom shared import limits\n")
    done = import_all(artifact, [host, mutated, *packages])
    assert (done.returncode, done.stderr) == (99, "imported the host's shared")


@pytest.mark.parametrize("version", LAYER_PYTHONS)
def test_layer_imports_on_every_lambda_runtime(version: str, host: Path, tmp_path: Path) -> None:
    """No package but the layer's own is there, not even botocore."""
    try:
        python: Interpreter = interpreter(version)
    except BuildError:
        pytest.skip(f"Python {version} is not on this machine")
    opt = unpack_zip(local_zip(LAYER), tmp_path / "opt")
    program = "import sys; sys.path[:0] = sys.argv[1:]; import recommendation_producer.langgraph"
    done = subprocess.run(
        [python.path, "-I", "-S", "-B", "-W", "error", "-c", program, str(host), str(opt / LAYER.prefix)],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )
    assert (done.returncode, done.stderr) == (0, "")
