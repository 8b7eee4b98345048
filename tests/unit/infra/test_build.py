"""Building the zip, on packages of a few lines with no dependencies."""

import json
import platform
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from infra.build import byte_code
from infra.build.__main__ import main
from infra.build.artifacts import CONSUMER, LAYER, Artifact
from infra.build.byte_code import interpreter
from infra.build.dependencies import TARGETS, is_needed
from infra.build.zips import build
from infra.errors import BuildError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of three tiny packages with empty lock files."""
    for package in {*CONSUMER.packages, *LAYER.packages}:
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text('"""A package."""\n')
    (tmp_path / "consumer" / "recommendation_consumer" / "handler.py").write_text(
        "def handler(event, context):\n    return {}\n"
    )
    (tmp_path / "requirements").mkdir()
    for artifact in (CONSUMER, LAYER):
        (tmp_path / "requirements" / f"{artifact.extra}.lock").write_text("")
    return tmp_path


def test_same_inputs_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    """Also in another folder and at another time, so that a deployment shows only real changes."""
    first = build("local", tmp_path / "one" / "consumer.zip", root)
    second = build("local", tmp_path / "two" / "consumer.zip", root)
    assert first.digest == second.digest
    assert Path(first.path).read_bytes() == Path(second.path).read_bytes()


def test_unchanged_inputs_build_nothing(root: Path, tmp_path: Path) -> None:
    """The second build returns the first one's zip untouched."""
    output = tmp_path / "out" / "consumer.zip"
    first = build("local", output, root)
    written = output.stat().st_mtime_ns
    assert build("local", output, root) == first
    assert output.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["source", "lock", "zip", "stamp"])
def test_a_changed_input_or_a_damaged_zip_is_built_anew(root: Path, tmp_path: Path, damage: str) -> None:
    """Whatever the change, the zip is then complete."""
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


def test_byte_code_ships_beside_its_source(root: Path, tmp_path: Path) -> None:
    """Never checked against the source's time, which a zip does not keep, and free of this machine's paths."""
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


def test_sizes_are_those_of_the_zip(root: Path, tmp_path: Path) -> None:
    """In bytes, packed and unpacked."""
    output = tmp_path / "out" / "consumer.zip"
    built = build("local", output, root)
    with zipfile.ZipFile(output) as bundle:
        assert built.uncompressed == sum(entry.file_size for entry in bundle.infolist())
    assert built.compressed == output.stat().st_size
    assert json.loads(output.with_name("consumer.zip.stamp").read_text())["digest"] == built.digest


def test_a_missing_package_fails_the_build(root: Path, tmp_path: Path) -> None:
    """An incomplete zip would fail only at the first message."""
    (root / "shared" / "recommendation_shared" / "__init__.py").unlink()
    with pytest.raises(BuildError, match="recommendation_shared is not a package"):
        build("local", tmp_path / "out" / "consumer.zip", root)


def test_a_dependency_that_cannot_be_installed_fails_the_build(root: Path, tmp_path: Path) -> None:
    """And says what uv says, and leaves neither a zip nor half an installation."""
    (root / "requirements" / "consumer.lock").write_text("boto3==1.0\n")
    with pytest.raises(BuildError, match="hash"):
        build("local", tmp_path / "out" / "consumer.zip", root)
    assert list((tmp_path / "out").rglob("*.zip")) == []
    assert list((tmp_path / "out" / "dependencies").iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/sqs/2012-11-05/endpoint-rule-set-1.json.gz",
        "botocore/data/endpoints.json",
        "botocore/data/partitions.json",
        "botocore/data/sdk-default-configuration.json",
        "botocore/cacert.pem",
        "pydantic_core/_pydantic_core.so",
        "pydantic-2.13.5.dist-info/METADATA",
        "pydantic-2.13.5.dist-info/licenses/LICENSE",
    ],
)
def test_what_the_function_loads_is_kept(path: str) -> None:
    """Also the shared files among the API descriptions, and licences, which must accompany the code."""
    assert is_needed(PurePosixPath(path), CONSUMER.services)


@pytest.mark.parametrize(
    "path",
    [
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "boto3/examples/s3.rst",
        "bin/jp.py",
        ".lock",
        "aiohttp/_http_parser.pyx",
        "anything/tests/test_it.py",
        "pydantic-2.13.5.dist-info/RECORD",
    ],
)
def test_what_the_function_never_loads_is_left_out(path: str) -> None:
    """The descriptions of hundreds of other services alone are two thirds of botocore."""
    assert not is_needed(PurePosixPath(path), CONSUMER.services)


def test_lambda_targets_ask_for_lambda_wheels() -> None:
    """Not for those of the machine that builds."""
    assert TARGETS["arm64"].uv_options == [
        *("--python-platform", "aarch64-manylinux_2_34"),
        *("--python-version", "3.13"),
    ]
    assert TARGETS["local"].uv_options == []


def test_only_a_python_of_the_right_version_compiles() -> None:
    """Byte code of another version would be dead weight."""
    assert interpreter(TARGETS["local"].python).version == platform.python_version()


def test_without_lambdas_python_the_build_fails_and_names_the_remedies(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip without byte code would be another one than elsewhere, and start less than half as fast."""
    monkeypatch.setitem(TARGETS, "arm64", replace(TARGETS["arm64"], python="3.99"))
    with pytest.raises(BuildError, match=r"no Python 3\.99 here.*LAMBDA_PYTHON=.*--no-byte-code"):
        build("arm64", tmp_path / "out" / "consumer.zip", root)
    built = build("arm64", tmp_path / "out" / "consumer.zip", root, byte_code=False)
    assert built.byte_code is None
    with zipfile.ZipFile(built.path) as bundle:
        assert bundle.namelist() == [
            "recommendation_consumer/__init__.py",
            "recommendation_consumer/handler.py",
            "recommendation_shared/__init__.py",
        ]


def test_pythons_of_version_managers_are_found_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim on the PATH may name a version that is not selected, and fail; the one that is named comes first."""
    for place in ("pyenv/versions/3.99.1", "named"):
        python = tmp_path / place / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\necho 3.99.1\n")
        python.chmod(0o755)
    shim = tmp_path / "shims" / "python3.99"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert interpreter("3.99").path == str(tmp_path / "pyenv/versions/3.99.1/bin/python")
    monkeypatch.setenv(byte_code.VARIABLE, str(tmp_path / "named/bin/python"))
    assert interpreter("3.99").path == str(tmp_path / "named/bin/python")


def test_layer_holds_the_producer_where_lambda_looks_for_it(root: Path, tmp_path: Path) -> None:
    """Lambda unpacks a layer into /opt and puts /opt/python on the path."""
    built = build("local", tmp_path / "out" / "layer.zip", root, LAYER)
    with zipfile.ZipFile(built.path) as bundle:
        names = bundle.namelist()
        (compiled,) = [name for name in names if name.startswith("python/recommendation_producer/__pycache__/__init__")]
        assert b"/opt/python/recommendation_producer/__init__.py" in bundle.read(compiled)
    assert {name.split("/")[1] for name in names} == {"recommendation_producer", "recommendation_shared"}


def test_layer_keeps_every_service_because_it_takes_the_place_of_the_runtimes_sdk() -> None:
    """Else the executor's own calls to Bedrock would fail with UnknownServiceError."""
    assert is_needed(PurePosixPath("botocore/data/bedrock-runtime/2023-09-30/service-2.json.gz"), LAYER.services)
    assert not is_needed(PurePosixPath("botocore/data/ec2/2016-11-15/examples-1.json"), LAYER.services)


@pytest.mark.parametrize(
    "small",
    [replace(CONSUMER, compressed_limit=99), replace(CONSUMER, uncompressed_limit=99)],
    ids=["packed", "unpacked"],
)
def test_a_zip_over_a_limit_fails_the_build(root: Path, tmp_path: Path, small: Artifact) -> None:
    """And names the size and the limit; the last good zip stays."""
    output = tmp_path / "out" / "consumer.zip"
    build("local", output, root)
    good = output.read_bytes()
    with pytest.raises(BuildError, match=r"consumer\.zip for local .* the limit is 99"):
        build("local", output, root, small)
    assert output.read_bytes() == good


def test_an_unknown_artifact_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit, match="2"):
        main(["producer"])
    assert "no artifact is called producer; there are consumer and layer" in capsys.readouterr().err


@pytest.mark.parametrize("artifact", [CONSUMER, LAYER], ids=lambda artifact: artifact.name)
def test_the_lock_file_has_no_environment_markers(artifact: Artifact) -> None:
    """One that depends on the machine could leave a wheel out of the zip, unnoticed."""
    lock = Path(__file__).parents[3] / "requirements" / f"{artifact.extra}.lock"
    requirements = [line for line in lock.read_text().splitlines() if "==" in line and not line.startswith(" ")]
    assert requirements
    assert not any(";" in line for line in requirements)
