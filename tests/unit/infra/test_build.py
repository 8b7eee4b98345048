"""Building the zips, from packages of a few lines without dependencies."""

import json
import os
import platform
import shutil
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infra.build import zips
from infra.build.__main__ import main
from infra.build.artifacts import CONSUMER, LAYER, Artifact
from infra.build.dependencies import TARGETS
from infra.build.zips import build
from infra.errors import BuildError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of three tiny packages with an empty lock file."""
    for package in {*CONSUMER.packages, *LAYER.packages}:
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text('"""A package."""\n')
    (tmp_path / "consumer" / "recommendation_consumer" / "handler.py").write_text(
        "def handler(event, context):\n    return {}\n"
    )
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / f"{CONSUMER.extra}.lock").write_text("")
    return tmp_path


def test_same_inputs_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    """The folder and the time do not matter, so a deployment shows only real changes."""
    first = build("local", tmp_path / "one" / "consumer.zip", root)
    second = build("local", tmp_path / "two" / "consumer.zip", root)
    assert first.digest == second.digest
    assert Path(first.path).read_bytes() == Path(second.path).read_bytes()


def test_unchanged_inputs_build_nothing(root: Path, tmp_path: Path) -> None:
    """The second build returns the first build's zip and does not touch it."""
    output = tmp_path / "out" / "consumer.zip"
    first = build("local", output, root)
    written = output.stat().st_mtime_ns
    assert build("local", output, root) == first
    assert output.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["source", "lock", "zip", "stamp"])
def test_changed_input_or_damaged_zip_is_rebuilt(root: Path, tmp_path: Path, damage: str) -> None:
    """The new zip is complete, whatever changed."""
    output = tmp_path / "out" / "consumer.zip"
    build("local", output, root)
    {
        "source": lambda: (root / "consumer" / "recommendation_consumer" / "added.py").write_text("ADDED = True\n"),
        "lock": lambda: (root / "requirements" / "consumer.lock").write_text("# changed\n"),
        "zip": lambda: output.write_bytes(output.read_bytes()[:-10]),
        "stamp": lambda: output.with_name("consumer.zip.stamp").write_text("{"),
    }[damage]()
    build("local", output, root)
    with zipfile.ZipFile(output) as bundle:
        assert bundle.testzip() is None
        assert ("recommendation_consumer/added.py" in bundle.namelist()) == (damage == "source")


@pytest.mark.parametrize("name", ["zips.py", "added.py"])
def test_changed_build_program_is_a_changed_input(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Any module of `infra.build` may change what a zip contains, even one that is added later."""
    rules = tmp_path / "rules"
    shutil.copytree(Path(zips.__file__).parent, rules, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(zips, "_RULES", rules)
    output = tmp_path / "out" / "consumer.zip"
    first = build("local", output, root, byte_code=False)
    assert build("local", output, root, byte_code=False).inputs == first.inputs
    with (rules / name).open("a") as stream:
        stream.write("# changed\n")
    assert build("local", output, root, byte_code=False).inputs != first.inputs


def test_byte_code_ships_next_to_its_source(root: Path, tmp_path: Path) -> None:
    """Python never checks it against the source's time, which a zip does not keep, and it holds no local paths."""
    output = tmp_path / "out" / "consumer.zip"
    assert build("local", output, root).byte_code == platform.python_version()
    with zipfile.ZipFile(output) as bundle:
        (name,) = [
            name for name in bundle.namelist() if name.startswith("recommendation_consumer/__pycache__/handler.")
        ]
        content = bundle.read(name)
    hash_based_and_unchecked = 0b01
    assert int.from_bytes(content[4:8], "little") == hash_based_and_unchecked
    assert b"/var/task/recommendation_consumer/handler.py" in content
    assert str(tmp_path).encode() not in content


def test_reported_sizes_match_the_zip(root: Path, tmp_path: Path) -> None:
    """Both sizes, compressed and uncompressed, are in bytes."""
    output = tmp_path / "out" / "consumer.zip"
    built = build("local", output, root)
    with zipfile.ZipFile(output) as bundle:
        assert built.uncompressed == sum(entry.file_size for entry in bundle.infolist())
    assert built.compressed == output.stat().st_size
    assert json.loads(output.with_name("consumer.zip.stamp").read_text())["digest"] == built.digest


def test_missing_package_fails_the_build(root: Path, tmp_path: Path) -> None:
    """Otherwise an incomplete zip would fail at the first message."""
    (root / "shared" / "recommendation_shared" / "__init__.py").unlink()
    with pytest.raises(BuildError, match="recommendation_shared is not a package"):
        build("local", tmp_path / "out" / "consumer.zip", root)


def test_dependency_that_cannot_be_installed_fails_the_build(root: Path, tmp_path: Path) -> None:
    """The error includes uv's message, and no zip or partial installation is left behind."""
    (root / "requirements" / "consumer.lock").write_text("boto3==1.0\n")
    with pytest.raises(BuildError, match="hash"):
        build("local", tmp_path / "out" / "consumer.zip", root)
    assert list((tmp_path / "out").rglob("*.zip")) == []
    assert list((tmp_path / "out" / "dependencies").iterdir()) == []


def test_only_installed_folders_that_nobody_used_for_a_day_are_removed(root: Path, tmp_path: Path) -> None:
    """A concurrent build with other inputs may still be reading its folder."""
    output = tmp_path / "out" / "consumer.zip"
    lock = root / "requirements" / "consumer.lock"
    dependencies = tmp_path / "out" / "dependencies"
    build("local", output, root)
    (of_another_build,) = dependencies.iterdir()
    lock.write_text("# changed\n")
    build("local", output, root)
    assert of_another_build.is_dir()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(of_another_build, (two_days_ago, two_days_ago))
    lock.write_text("# changed again\n")
    build("local", output, root)
    assert not of_another_build.exists()
    assert len(list(dependencies.iterdir())) == 2


def test_data_files_of_a_package_ship_with_it(root: Path, tmp_path: Path) -> None:
    """A package that reads its own data would otherwise work everywhere but in Lambda."""
    package = root / "shared" / "recommendation_shared"
    (package / "py.typed").touch()
    (package / "data").mkdir()
    (package / "data" / "prices.toml").write_text("[a]\n")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "stale.cpython-311.pyc").touch()
    with zipfile.ZipFile(build("local", tmp_path / "out" / "consumer.zip", root, byte_code=False).path) as bundle:
        assert [name for name in bundle.namelist() if name.startswith("recommendation_shared/")] == [
            "recommendation_shared/__init__.py",
            "recommendation_shared/data/prices.toml",
            "recommendation_shared/py.typed",
        ]


def test_build_without_lambdas_python_fails_and_names_the_remedies(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip without byte code would differ from other machines' and take more than twice as long to start."""
    monkeypatch.setitem(TARGETS, "arm64", replace(TARGETS["arm64"], python="3.99"))
    with pytest.raises(BuildError, match=r"no Python 3\.99 was found.*LAMBDA_PYTHON=.*--no-byte-code"):
        build("arm64", tmp_path / "out" / "consumer.zip", root)
    built = build("arm64", tmp_path / "out" / "consumer.zip", root, byte_code=False)
    assert built.byte_code is None
    with zipfile.ZipFile(built.path) as bundle:
        assert bundle.namelist() == [
            "recommendation_consumer/__init__.py",
            "recommendation_consumer/handler.py",
            "recommendation_shared/__init__.py",
        ]


def test_layer_holds_the_producer_where_lambda_finds_it(root: Path, tmp_path: Path) -> None:
    """Lambda unpacks a layer into /opt and puts /opt/python on the path. Byte code would serve one Python only."""
    built = build("local", tmp_path / "out" / "layer.zip", root, LAYER)
    assert (built.platform, built.python, built.byte_code) == ("every platform", "3.11 or later", None)
    with zipfile.ZipFile(built.path) as bundle:
        assert bundle.namelist() == [
            "python/recommendation_producer/__init__.py",
            "python/recommendation_shared/__init__.py",
        ]


def test_layer_is_the_same_for_every_platform(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other Python is needed to build it."""
    monkeypatch.setitem(TARGETS, "arm64", replace(TARGETS["arm64"], python="3.99"))
    built = {build(name, tmp_path / name / "layer.zip", root, LAYER).digest for name in ("local", "arm64", "x86_64")}
    assert len(built) == 1


@pytest.mark.parametrize(
    "small",
    [replace(CONSUMER, compressed_limit=99), replace(CONSUMER, uncompressed_limit=99)],
    ids=["packed", "unpacked"],
)
def test_zip_over_a_limit_fails_the_build(root: Path, tmp_path: Path, small: Artifact) -> None:
    """The error names the size and the limit, and the last good zip stays."""
    output = tmp_path / "out" / "consumer.zip"
    build("local", output, root)
    good = output.read_bytes()
    with pytest.raises(BuildError, match=r"consumer\.zip for local .* the limit is 99"):
        build("local", output, root, small)
    assert output.read_bytes() == good


def test_unknown_artifact_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the artifacts that exist."""
    with pytest.raises(SystemExit, match="2"):
        main(["producer"])
    assert "no artifact is called producer; the artifacts are consumer and layer" in capsys.readouterr().err
