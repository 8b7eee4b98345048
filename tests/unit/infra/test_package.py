"""The packaged template, and what the Terraform example takes from it."""

import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

from infra.build.artifacts import ARTIFACTS
from infra.build.zips import Built
from infra.deploy import package as package_module
from infra.deploy.package import LIMIT, main, package
from infra.paths import ROOT
from infra.synthesis.synthesize import synthesize
from infra.template import load

pytestmark = pytest.mark.one_python

EXAMPLE = ROOT / "examples" / "terraform" / "main.tf"
CAPABILITIES = {"CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}  # named roles, and SAM's macro


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let zips of a few bytes be built."""

    def build(platform: str, output: Path, artifact: Any) -> Built:
        path = tmp_path / output.name
        path.write_bytes(b"zip")
        return Built(str(path), platform, "3.13", "inputs", f"digest-of-{artifact.name}", 3, 3, None)

    monkeypatch.setattr(package_module, "build", build)


@pytest.mark.usefixtures("built")
def test_packaged_template_is_complete_and_refers_to_the_zips_beside_it(tmp_path: Path) -> None:
    """What CloudFormation makes of it differs from the template only in where the code is."""
    folder = tmp_path / "packaged"
    path = package("my-bucket", "prefix/", "x86_64", folder)
    template = json.loads(path.read_text())
    places = {
        name: properties.get("CodeUri") or properties.get("ContentUri")
        for name, properties in ((name, each["Properties"]) for name, each in template["Resources"].items())
        if properties.keys() & {"CodeUri", "ContentUri"}
    }
    consumer = {"Bucket": "my-bucket", "Key": "prefix/digest-of-consumer.zip"}
    layer = {"Bucket": "my-bucket", "Key": "prefix/digest-of-layer.zip"}
    assert places == {"Consumer": consumer, "Keeper": consumer, "ProducerLayer": layer}
    files = {f"digest-of-{name}.zip" for name in ARTIFACTS}
    assert {file.name for file in folder.iterdir()} == files | {path.name}
    assert template["Parameters"]["Architecture"]["Default"] == "x86_64"
    whole = synthesize({"Architecture": "x86_64"})["Resources"]
    assert {re.sub("[0-9a-f]{10}$", "", name) for name in synthesize(path=path)["Resources"]} == {
        re.sub("[0-9a-f]{10}$", "", name) for name in whole
    }
    assert path.stat().st_size < LIMIT


@pytest.mark.usefixtures("built")
def test_old_files_do_not_stay_in_the_folder(tmp_path: Path) -> None:
    """They would be uploaded again, and the template could not be told from an old one."""
    folder = tmp_path / "packaged"
    folder.mkdir()
    (folder / "old.template").touch()
    package("my-bucket", "", "arm64", folder)
    assert len(list(folder.glob("*.template"))) == 1


@pytest.mark.usefixtures("built")
def test_command_says_what_to_upload_and_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bucket and the prefix are in the template, so files elsewhere would not be found."""
    assert main(["--bucket", "my-bucket", "--folder", str(tmp_path / "packaged")]) == 0
    assert "s3://my-bucket/opx-recommendations/" in capsys.readouterr().out


def test_terraform_example_fits_the_template() -> None:
    """Its parameters and outputs exist, its capabilities suffice, and its keys are those of the packaged template."""
    text = EXAMPLE.read_text()
    with EXAMPLE.open() as file:
        parsed: dict[str, Any] = hcl2.load(file)
    resources = {
        name.strip('"'): block for each in parsed["resource"] for kind in each.values() for name, block in kind.items()
    }
    stack = resources["recommendations"]
    template = load()
    assert stack["parameters"].keys() <= template["Parameters"].keys()
    assert {name.strip('"') for name in stack["capabilities"]} == CAPABILITIES
    outputs = re.findall(r'\.outputs\["(\w+)"\]', text)
    assert set(outputs) == {"QueueUrl", "ProducerLayerArn"}
    assert set(outputs) <= template["Outputs"].keys()
    assert resources["packaged"]["key"].strip('"').startswith("opx-recommendations/")
    variables = {name.strip('"') for each in parsed["variable"] for name in each}
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables
