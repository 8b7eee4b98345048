"""The dependencies and the Python of each artifact's targets."""

import platform
import re
from pathlib import Path, PurePosixPath

import pytest

from infra.build import byte_code
from infra.build.artifacts import CONSUMER
from infra.build.byte_code import interpreter
from infra.build.dependencies import TARGETS, is_needed
from infra.paths import ROOT, TEMPLATE


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
def test_files_the_function_loads_are_kept(path: str) -> None:
    """They include the API descriptions' shared files, and the licences, which must accompany the code."""
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
def test_files_the_function_never_loads_are_left_out(path: str) -> None:
    """The descriptions of other AWS services alone are two thirds of botocore."""
    assert not is_needed(PurePosixPath(path), CONSUMER.services)


def test_lambda_targets_ask_for_lambda_wheels() -> None:
    """The building machine's own platform does not matter."""
    assert TARGETS["arm64"].uv_options == [
        *("--python-platform", "aarch64-manylinux_2_34"),
        *("--python-version", "3.13"),
    ]
    assert TARGETS["local"].uv_options == []


def test_consumer_is_built_for_the_templates_runtime() -> None:
    """Byte code and compiled dependencies of another version would not load there."""
    runtime = re.search(r"Runtime: python(\S+)", TEMPLATE.read_text())
    assert runtime
    assert {TARGETS[platform].python for platform in ("arm64", "x86_64")} == {runtime[1]}


def test_only_a_python_of_the_right_version_compiles() -> None:
    """Byte code of another version would be dead weight."""
    assert interpreter(TARGETS["local"].python).version == platform.python_version()


def test_version_managers_pythons_are_found_outside_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim on the PATH may fail because its version is not selected; an explicitly named Python comes first."""
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


def test_lock_file_has_no_environment_markers() -> None:
    """A marker that depends on the building machine could silently leave a package out of the zip."""
    lock = ROOT / "requirements" / f"{CONSUMER.extra}.lock"
    requirements = [line for line in lock.read_text().splitlines() if "==" in line and not line.startswith(" ")]
    assert requirements
    assert not any(";" in line for line in requirements)
