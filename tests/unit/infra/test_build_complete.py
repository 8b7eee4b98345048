"""The real consumer's zip is complete and holds nothing from another platform or machine."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.build.artifacts import CONSUMER
from infra.build.byte_code import interpreter
from infra.build.dependencies import TARGETS
from infra.build.zips import build, build_for_this_python
from infra.errors import BuildError
from infra.paths import ROOT

pytestmark = pytest.mark.one_python

# Runs in an interpreter that sees only the standard library and the unpacked zip.
PROBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import recommendation_consumer.handler, recommendation_consumer.keeper.handler
import aioboto3, botocore.session
session = botocore.session.Session()
for service in ("dynamodb", "s3", "sqs"):
    session.create_client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
outside = [
    name for name, module in sys.modules.items()
    if "site-packages" in (getattr(module, "__file__", None) or "")
]
handlers = recommendation_consumer.handler.handler, recommendation_consumer.keeper.handler.handler
print(json.dumps({"handlers": [callable(handler) for handler in handlers], "outside": outside}))
"""
ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "RECOMMENDATIONS_TABLE": "opx-agent-recommendations",
    "RECOMMENDATIONS_DLQ_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendations-dlq",
    "POWERTOOLS_SERVICE_NAME": "recommendation-consumer",
}
AARCH64 = 183  # an ELF file's e_machine


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the zip for this interpreter, unpacked."""
    built = build_for_this_python()
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built.path) as bundle:
        bundle.extractall(folder)
    return folder


def test_handler_and_clients_load_from_the_zip_alone(unpacked: Path) -> None:
    """The interpreter is isolated and has no site-packages, as in Lambda."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error::ImportWarning", "-c", PROBE, str(unpacked)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"handlers": [True, True], "outside": []}


def test_every_source_has_its_byte_code(unpacked: Path) -> None:
    """Lambda's folder is read-only, so every cold start would otherwise compile again."""
    tag = sys.implementation.cache_tag
    missing = [
        source.relative_to(unpacked).as_posix()
        for source in unpacked.rglob("*.py")
        if not (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").exists()
    ]
    assert missing == []


@pytest.fixture(scope="module")
def for_lambda() -> Path:
    """Return the zip for Lambda's default architecture, with byte code if this machine can compile it."""
    return Path(build("arm64", ROOT / "build" / "consumer-arm64.zip", byte_code=_compiles_for_lambda()).path)


def _compiles_for_lambda() -> bool:
    try:
        return bool(interpreter(TARGETS["arm64"].python))
    except BuildError:
        return False


def test_zip_for_lambda_holds_binaries_for_lambda(for_lambda: Path) -> None:
    """Each extension is for the target's architecture and Python, whatever machine built it."""
    with zipfile.ZipFile(for_lambda) as bundle:
        extensions = {name: bundle.read(name) for name in bundle.namelist() if name.endswith(".so")}
    assert any(name.startswith("pydantic_core/") for name in extensions)
    for name, content in extensions.items():
        assert content[:4] == b"\x7fELF", name
        assert int.from_bytes(content[18:20], "little") == AARCH64, name
        assert "cpython-313" in name


def test_another_checkout_builds_the_same_bytes(for_lambda: Path, tmp_path: Path) -> None:
    """The other build has its own folder and time, and installs its dependencies again."""
    ignore = shutil.ignore_patterns("__pycache__", "local")
    for folder in ("infra", *CONSUMER.packages):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / f"{CONSUMER.extra}.lock", tmp_path / "requirements")
    options = [] if _compiles_for_lambda() else ["--no-byte-code"]
    subprocess.run(
        [sys.executable, "-m", "infra.build", "consumer", "--platform", "arm64", *options], cwd=tmp_path, check=True
    )
    other = tmp_path / "build" / "consumer.zip"
    assert other.read_bytes() == for_lambda.read_bytes()
    assert str(tmp_path) in other.with_name("consumer.zip.stamp").read_text(), (
        "the other checkout did not build its own zip"
    )
