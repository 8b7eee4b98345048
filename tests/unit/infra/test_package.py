"""The packaged template, and what the Terraform example takes from it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # cfn-lint ships no types
from samtranslator.yaml_helper import yaml_parse

from infra.build.artifacts import ARTIFACTS
from infra.build.zips import Built
from infra.deploy import package as package_module
from infra.deploy.compact import compact, stripped
from infra.deploy.package import LIMIT, main, package
from infra.paths import ROOT, TEMPLATE
from infra.synthesis.synthesize import EVERY_OPTION, synthesize
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


def deployed(parameters: Mapping[str, str], path: Path = TEMPLATE) -> dict[str, Any]:
    """Return what CloudFormation makes of a template, without what only people read and it could change in place."""
    resources: dict[str, Any] = synthesize(parameters, path)["Resources"]
    for resource in resources.values():
        resource.pop("Metadata", None)
        properties = resource["Properties"]
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource["Type"]).schema
        if "/properties/Description" not in schema.get("createOnlyProperties", ()):
            properties.pop("Description", None)
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            properties["DashboardBody"] = json.loads(properties["DashboardBody"])
    # SAM ends the names of versions with a digest of their properties, and of where their code is.
    text = re.sub(r"(ConsumerVersion|ProducerLayer)[0-9a-f]{10}", r"\1", json.dumps(resources))
    text = re.sub(r'"Sid": "\w+", ', "", text)
    named: dict[str, Any] = json.loads(text)
    return named


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("parameters", [{}, EVERY_OPTION], ids=["default", "every option"])
def test_packaged_template_deploys_what_the_template_says(tmp_path: Path, parameters: Mapping[str, str]) -> None:
    """Everything in every resource is the same, except descriptions and IDs of statements."""
    path = package("packages", "", "arm64", tmp_path / "packaged")
    text = path.read_text()
    for name in ARTIFACTS:
        text = text.replace(f"digest-of-{name}.zip", f"{name}.zip")
    path.write_text(text)
    assert deployed(parameters, path) == deployed(parameters)


@pytest.mark.usefixtures("built")
def test_packaged_template_keeps_what_somebody_reads_in_an_emergency(tmp_path: Path) -> None:
    """The pager shows an alarm's description, and a rejected deployment shows what the rule says."""
    packaged, source = load(package("my-bucket", "", "arm64", tmp_path / "packaged")), load()
    assert packaged["Rules"] == source["Rules"]
    assert packaged["Description"] == source["Description"]
    assert packaged["Outputs"].keys() == source["Outputs"].keys()
    described = {
        name: resource["Properties"]["AlarmDescription"]
        for name, resource in source["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert described
    assert described == {name: packaged["Resources"][name]["Properties"]["AlarmDescription"] for name in described}


@pytest.mark.usefixtures("built")
def test_no_condition_gets_a_name_that_yaml_takes_for_yes_or_no(tmp_path: Path) -> None:
    """YAML 1.1, which CloudFormation reads, has y and n for them; PyYAML has not."""
    names = load(package("my-bucket", "", "arm64", tmp_path / "packaged"))["Conditions"].keys()
    assert len(names) == len(load()["Conditions"])
    assert not names & set("yYnN")
    assert sum(len(name) for name in names) < 3 * len(names)


def test_a_functions_text_is_that_of_the_source() -> None:
    """SAM publishes a version for a changed text, and Lambda refuses one of an unchanged function."""
    source, packaged = load()["Resources"], stripped(load())["Resources"]
    functions = [name for name, resource in source.items() if resource["Type"] == "AWS::Serverless::Function"]
    assert functions
    for name in functions:
        # Without its description, the function itself is another one. Its events are resources of their own.
        expected = {**source[name]["Properties"], "Events": packaged[name]["Properties"]["Events"]}
        assert packaged[name]["Properties"] == {key: value for key, value in expected.items() if key != "Description"}


@pytest.mark.usefixtures("built")
def test_packaged_template_refers_to_the_zips_beside_it(tmp_path: Path) -> None:
    """Code elsewhere, or for another architecture, would not be found or not run."""
    folder = tmp_path / "packaged"
    path = package("my-bucket", "prefix/", "x86_64", folder)
    template = load(path)
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


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("platform", ["arm64", "x86_64"])
def test_packaged_template_fits_a_request(tmp_path: Path, platform: str) -> None:
    """With the longest name of a bucket and a long prefix."""
    path = package("b" * 63, "p" * 59 + "/", platform, tmp_path / "packaged")
    assert path.stat().st_size <= LIMIT


def test_compact_template_is_the_same_template() -> None:
    """Each short tag means the function that it stands for, to libyaml too, from which Terraform's parser descends."""
    template = stripped(load())
    template["Odd"] = [
        {"Ref": "A"},
        {"Ref": "A", "Other": "with a second key, no function"},
        {"Fn::GetAtt": ["A", "B.C"]},
        {"Fn::Sub": "${A}: 'quoted', [in, flow] # and\nin two lines"},
        {"Fn::Sub": ["${B}", {"B": {"Fn::If": ["Is", {"Ref": "AWS::NoValue"}, {"Condition": "Is"}]}}]},
        {"Fn::Transform": {"Name": "a function without a tag"}},
        *(
            "true",
            "1",
            "2012-10-17",
            "null",
            "",
            " a ",
            "a,b",
            "a: b",
            "a#b",
            "*",
            "&",
            "!a",
            '"',
            True,
            1,
            None,
            {},
            [],
        ),
    ]
    text = compact(template)
    assert yaml_parse(text) == template
    assert not text.startswith("{")  # Terraform would take it for JSON
    parsed, by_libyaml = (yaml.compose(text, Loader=loader) for loader in (yaml.SafeLoader, yaml.CSafeLoader))
    assert yaml.serialize(by_libyaml) == yaml.serialize(parsed)


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


@pytest.mark.usefixtures("built")
def test_terraform_example_fits_the_template(tmp_path: Path) -> None:
    """Its parameters, outputs, keys and files are the template's, and its capabilities and its request suffice."""
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
    (files,) = re.findall(r'for_each = fileset\(local.packaged, "([^"]+)"\)', text)
    (template_file,) = re.findall(r'one\(fileset\(local.packaged, "([^"]+)"\)\)', text)
    path = package("my-bucket", "opx-recommendations/", "arm64", tmp_path / "packaged")
    found = {each.name for each in path.parent.glob(files)}, {each.name for each in path.parent.glob(template_file)}
    assert found == ({f"digest-of-{name}.zip" for name in ARTIFACTS}, {path.name})
    assert "template_url" not in stack
    assert path.stat().st_size <= LIMIT  # of template_body
    variables = {name.strip('"') for each in parsed["variable"] for name in each}
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables
