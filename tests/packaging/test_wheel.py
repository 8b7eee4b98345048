"""The wheel holds the four packages exactly as they are in the source, and installs without dependencies."""

import json
import shutil
import subprocess
import tomllib
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from infra.paths import ROOT
from tests.support.wheel import build_wheel

PACKAGES = (
    "cli/recommendation_cli",
    "consumer/recommendation_consumer",
    "producer/recommendation_producer",
    "shared/recommendation_shared",
)
NAMES = [PurePosixPath(package).name for package in PACKAGES]

# These use the standard library alone, so they work in an environment without any extra.
WITHOUT_EXTRAS = [
    "recommendation_cli",
    "recommendation_consumer",
    "recommendation_producer",
    "recommendation_producer.adapters.openai_agents",
    "recommendation_producer.adapters.pydantic_ai",
    "recommendation_producer.adapters.strands",
    "recommendation_producer.langgraph",
    "recommendation_producer.recording",
    "recommendation_shared",
    "recommendation_shared.aws_errors",
    "recommendation_shared.backoff",
    "recommendation_shared.emf",
    "recommendation_shared.envelope",
    "recommendation_shared.envelope.field_rules",
    "recommendation_shared.envelope.identity",
    "recommendation_shared.envelope.vocabulary",
    "recommendation_shared.limits",
    "recommendation_shared.metrics",
    "recommendation_shared.queue.batches",
    "recommendation_shared.queue.dead_letter",
    "recommendation_shared.settings",
]


def members(wheel: Path) -> dict[str, bytes]:
    """Return the wheel's files by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def source_files(package: str) -> dict[str, bytes]:
    """Return a package's source files by their names in the wheel."""
    folder = ROOT / package
    return {
        f"{folder.name}/{file.relative_to(folder).as_posix()}": file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def metadata(wheel: Path) -> Message:
    """Return the wheel's core metadata."""
    (content,) = [content for name, content in members(wheel).items() if name.endswith(".dist-info/METADATA")]
    return BytesParser().parsebytes(content)


def project_table() -> dict[str, Any]:
    """Return the [project] table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def test_wheel_holds_every_source_file_and_no_other(wheel: Path) -> None:
    """Names and bytes match; data files and the py.typed markers are included."""
    packaged = {name: content for name, content in members(wheel).items() if ".dist-info/" not in name}
    assert packaged == {name: content for package in PACKAGES for name, content in source_files(package).items()}
    assert packaged.keys() >= {
        *(f"{name}/py.typed" for name in NAMES),
        "recommendation_cli/cost/prices.toml",
        "recommendation_cli/cost/profile.json",
        "recommendation_cli/report/page.html",
        "recommendation_cli/ui/static/ui.js",
        "recommendation_cli/ui/templates/top.html",
    }


def test_wheel_has_no_other_top_level_name(wheel: Path) -> None:
    """A package called `shared` or `cli` would collide with the host's own."""
    top_level = {name.split("/")[0] for name in members(wheel)}
    assert {name for name in top_level if not name.endswith(".dist-info")} == set(NAMES)
    assert len(top_level) == len(NAMES) + 1


def test_another_checkout_builds_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    """The copy is in another folder, has newer times and no Git repository."""
    checkout = tmp_path / "checkout"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, checkout / package, copy_function=shutil.copyfile)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, checkout / name)
    assert build_wheel(tmp_path / "again", checkout).read_bytes() == wheel.read_bytes()


def test_wheel_requires_nothing_without_an_extra(wheel: Path) -> None:
    """The base is the producer, and an executor must not install anything for it."""
    described = metadata(wheel)
    requirements = described.get_all("Requires-Dist", [])
    extras = set(project_table()["optional-dependencies"])
    assert set(described.get_all("Provides-Extra", [])) == extras
    assert extras >= {"consumer", "cli", "parquet", "ui", "dev"}
    assert requirements
    assert [line for line in requirements if "extra ==" not in line] == []


def test_no_extra_refers_to_the_project_by_name(wheel: Path) -> None:
    """Nobody owns that name on a public index, so a reference to it could install a stranger's package."""
    requirements = metadata(wheel).get_all("Requires-Dist", [])
    assert [line for line in requirements if line.startswith(str(metadata(wheel)["Name"]))] == []


def test_metadata_declares_types_pythons_and_links(wheel: Path) -> None:
    """Indexes, editors and type checkers read these fields."""
    described = metadata(wheel)
    pythons = [f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)]
    assert described.get_all("Classifier") == [*pythons, "Typing :: Typed"]
    assert described["Requires-Python"] == ">=3.11"
    assert described["License-Expression"] == "Apache-2.0"
    links = [line.split(", ")[0] for line in described.get_all("Project-URL", [])]
    assert links == ["Homepage", "Documentation", "Changelog", "Issues"]


def test_wheel_installs_the_recs_command(wheel: Path, wheel_only: Path) -> None:
    """It is the only command."""
    (entry_points,) = [text for name, text in members(wheel).items() if name.endswith("entry_points.txt")]
    assert entry_points.decode().split("\n", 2)[:2] == ["[console_scripts]", "recs = recommendation_cli.__main__:main"]
    assert wheel_only.with_name("recs").is_file()


def test_recs_without_its_extra_says_what_to_install(wheel_only: Path) -> None:
    """One sentence on stderr instead of a traceback."""
    done = subprocess.run([str(wheel_only.with_name("recs"))], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "recs needs botocore, click, orjson, pydantic and rich, which are not installed:"
        " install the wheel or the checkout with [cli].\n"
    )


@pytest.mark.parametrize("module", WITHOUT_EXTRAS)
def test_module_imports_without_extras(wheel_only: Path, module: str) -> None:
    """A fresh environment holds the wheel and nothing else."""
    program = f"import importlib, json; print(json.dumps(importlib.import_module({module!r}).__file__))"
    done = subprocess.run([str(wheel_only), "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)).is_relative_to(wheel_only.parents[1])
