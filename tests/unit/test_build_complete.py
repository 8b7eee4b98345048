"""The zip of the real consumer holds all that it needs, and nothing of another platform."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.build import ROOT, build

# Run by an interpreter that has nothing but the standard library and the unpacked zip.
PROBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import consumer.handler
import aioboto3, botocore.session
session = botocore.session.Session()
for service in ("dynamodb", "sqs"):
    session.create_client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
outside = [
    name for name, module in sys.modules.items()
    if "site-packages" in (getattr(module, "__file__", None) or "")
]
print(json.dumps({"handler": callable(consumer.handler.handler), "outside": outside}))
"""
ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "RECOMMENDATIONS_TABLE": "opx-agent-recommendations",
    "RECOMMENDATIONS_DLQ_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendations-dlq",
    "POWERTOOLS_SERVICE_NAME": "recommendation-consumer",
}
LAMBDA_LIMIT = 250 * 1024 * 1024  # bytes unpacked, layers included; AWS Lambda quotas
AARCH64 = 183  # e_machine of an ELF file


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the unpacked zip for this interpreter."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    built = build("local", ROOT / "build" / f"consumer-local-{version}.zip")
    assert built.uncompressed < LAMBDA_LIMIT
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built.path) as bundle:
        bundle.extractall(folder)
    return folder


def test_handler_and_clients_load_from_the_zip_alone(unpacked: Path) -> None:
    """In an isolated interpreter without site-packages, as in Lambda."""
    done = subprocess.run(  # noqa: S603 - this interpreter and our own probe
        [sys.executable, "-I", "-S", "-W", "error::ImportWarning", "-c", PROBE, str(unpacked)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"handler": True, "outside": []}


def test_every_source_has_its_byte_code(unpacked: Path) -> None:
    """A cold start then compiles nothing; Lambda's folder is read-only, so it would do so every time."""
    tag = sys.implementation.cache_tag
    missing = [
        source.relative_to(unpacked).as_posix()
        for source in unpacked.rglob("*.py")
        if not (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").exists()
    ]
    assert missing == []


def test_zip_for_lambda_holds_binaries_for_lambda() -> None:
    """Built on any machine, each extension is for the target's processor and Python."""
    built = build("arm64", ROOT / "build" / "consumer-arm64.zip")
    with zipfile.ZipFile(built.path) as bundle:
        extensions = {name: bundle.read(name) for name in bundle.namelist() if name.endswith(".so")}
    assert any(name.startswith("pydantic_core/") for name in extensions)
    for name, content in extensions.items():
        assert content[:4] == b"\x7fELF", name
        assert int.from_bytes(content[18:20], "little") == AARCH64, name
        assert "cpython-313" in name
