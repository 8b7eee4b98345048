"""Building the zip, on packages of a few lines with no dependencies."""

import json
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from infra.build import build
from infra.dependencies import TARGETS, BuildError, compiling_python, is_needed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of two tiny packages with an empty lock file."""
    for package in ("consumer", "shared"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text('"""A package."""\n')
    (tmp_path / "consumer" / "handler.py").write_text("def handler(event, context):\n    return {}\n")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "consumer.lock").write_text("")
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
        "source": lambda: (root / "consumer" / "added.py").write_text("ADDED = True\n"),
        "lock": lambda: (root / "requirements" / "consumer.lock").write_text("# changed\n"),
        "zip": lambda: output.write_bytes(output.read_bytes()[:-10]),
        "stamp": lambda: output.with_name("consumer.zip.stamp").write_text("{"),
    }[damage]()
    build("local", output, root)
    with zipfile.ZipFile(output) as bundle:
        assert bundle.testzip() is None
        assert ("consumer/added.py" in bundle.namelist()) == (damage == "source")


def test_byte_code_ships_beside_its_source(root: Path, tmp_path: Path) -> None:
    """Never checked against the source's time, which a zip does not keep, and free of this machine's paths."""
    output = tmp_path / "out" / "consumer.zip"
    assert build("local", output, root).byte_code
    with zipfile.ZipFile(output) as bundle:
        (name,) = [name for name in bundle.namelist() if name.startswith("consumer/__pycache__/handler.")]
        content = bundle.read(name)
    hash_based_and_unchecked = 0b01
    assert int.from_bytes(content[4:8], "little") == hash_based_and_unchecked
    assert b"/var/task/consumer/handler.py" in content
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
    (root / "shared" / "__init__.py").unlink()
    with pytest.raises(BuildError, match="shared is not a package"):
        build("local", tmp_path / "out" / "consumer.zip", root)


def test_a_dependency_that_cannot_be_installed_fails_the_build(root: Path, tmp_path: Path) -> None:
    """And says what pip says, and leaves neither a zip nor half an installation."""
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
    assert is_needed(PurePosixPath(path))


@pytest.mark.parametrize(
    "path",
    [
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "boto3/examples/s3.rst",
        "bin/jp.py",
        "aiohttp/_http_parser.pyx",
        "anything/tests/test_it.py",
        "pydantic-2.13.5.dist-info/RECORD",
    ],
)
def test_what_the_function_never_loads_is_left_out(path: str) -> None:
    """The descriptions of hundreds of other services alone are two thirds of botocore."""
    assert not is_needed(PurePosixPath(path))


def test_lambda_targets_ask_for_lambda_wheels() -> None:
    """Not for those of the machine that builds."""
    options = TARGETS["arm64"].pip_options
    assert "manylinux_2_28_aarch64" in options
    assert options[options.index("--python-version") + 1] == "3.13"
    assert TARGETS["local"].pip_options == []


def test_only_a_python_of_the_right_version_compiles() -> None:
    """Byte code of another version would be dead weight."""
    assert compiling_python(TARGETS["local"].python) is not None
    assert compiling_python("2.0") is None


def test_the_lock_file_has_no_environment_markers() -> None:
    """Pip evaluates them for the Python that builds, so a wheel for Lambda could be missed unnoticed."""
    lock = Path(__file__).parents[2] / "requirements" / "consumer.lock"
    requirements = [line for line in lock.read_text().splitlines() if "==" in line and not line.startswith(" ")]
    assert requirements
    assert not any(";" in line for line in requirements)
