"""The Lambda zips hold their packages exactly as they are in the source, their dependencies, and nothing else."""

import re
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from infra.build.artifacts import CONSUMER, LAYER, Artifact
from infra.paths import ROOT
from tests.support.lambdas.zips import local_zip


def members(artifact: Artifact) -> dict[str, bytes]:
    """Return the files of the artifact's zip by their names below its prefix."""
    with zipfile.ZipFile(local_zip(artifact)) as archive:
        assert all(name.startswith(artifact.prefix) for name in archive.namelist())
        return {name.removeprefix(artifact.prefix): archive.read(name) for name in archive.namelist()}


def source_files(artifact: Artifact) -> dict[str, bytes]:
    """Return the source files of the artifact's packages by their names in the zip."""
    return {
        file.relative_to((ROOT / package).parent).as_posix(): file.read_bytes()
        for package in artifact.packages
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def normalized(distribution: str) -> str:
    """Return a distribution's name as lock files and indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@pytest.mark.parametrize("artifact", [CONSUMER, LAYER], ids=lambda artifact: artifact.name)
def test_zip_holds_every_source_file_and_no_other(artifact: Artifact) -> None:
    """Names and bytes match; apart from the source, there is only its byte code, and in the layer not even that."""
    own = {name: content for name, content in members(artifact).items() if name.startswith("recommendation_")}
    assert {name: content for name, content in own.items() if "/__pycache__/" not in name} == source_files(artifact)
    compiled = [re.sub(r"__pycache__/(\w+)\.cpython-\d+\.pyc$", r"\1.py", name) for name in own if "/__py" in name]
    assert sorted(compiled) == sorted(name for name in own if name.endswith(".py") and artifact is CONSUMER)


def test_every_other_name_belongs_to_a_locked_dependency() -> None:
    """Nothing that the function did not ask for gets onto its path."""
    lock = (ROOT / "requirements" / f"{CONSUMER.extra}.lock").read_text()
    locked = {normalized(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    providers = packages_distributions()
    packages = {Path(package).name for package in CONSUMER.packages}
    for name in {name.split("/")[0] for name in members(CONSUMER)} - packages - {"__pycache__"}:
        if name.endswith(".dist-info"):
            assert normalized(name.removesuffix(".dist-info").rsplit("-", 1)[0]) in locked
        else:
            assert {normalized(provider) for provider in providers[name.split(".")[0]]} & locked, name


def test_layer_holds_nothing_but_our_packages() -> None:
    """It comes before the runtime on Python's path, so it would replace whatever else it held in the executor."""
    assert {name.split("/")[0] for name in members(LAYER)} == {"recommendation_producer", "recommendation_shared"}
