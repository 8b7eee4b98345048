"""Deploy the template through CloudFormation, as `sam deploy` does: upload, change set, execute."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.build.artifacts import LAYER
from infra.build.zips import build
from infra.errors import StackError
from infra.template import Template, load, packaged

STACK_NAME = "opx-recommendations"

_BUCKET = "opx-recommendations-packages"
_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_TIMEOUT = 60.0  # seconds; a deployment takes about one

Client = Callable[[str], Any]


def load_template(path: Path, parameters: Mapping[str, str]) -> Template:
    """Return a template with the given parameters.

    `parameters` replace the defaults of the template's parameters. Raises `StackError` for a parameter that the
    template does not have.
    """
    template = load(path)
    declared = template["Parameters"]
    if unknown := parameters.keys() - declared.keys():
        raise StackError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
    for name, value in parameters.items():
        declared[name]["Default"] = value
    return template


def package(client: Client, template: Template, zip_file: Path, digest: str) -> Template:
    """Upload the consumer's zip and the layer; return the template pointing at them. Raises `BuildError`."""
    layer = build(output=zip_file.with_name("layer.zip"), artifact=LAYER)
    code, content = {"Bucket": _BUCKET, "Key": f"{digest}.zip"}, {"Bucket": _BUCKET, "Key": f"{layer.digest}.zip"}
    _upload(client, code["Key"], zip_file.read_bytes())
    _upload(client, content["Key"], Path(layer.path).read_bytes())
    return packaged(template, {"consumer.zip": code, "layer.zip": content}.__getitem__)


def upload(client: Client, template: Template) -> dict[str, str]:
    """Upload the template; return the argument that names it. In a request itself, 51,200 bytes are the limit."""
    text = json.dumps(template).encode()
    return {"TemplateURL": _upload(client, f"{hashlib.sha256(text).hexdigest()}.template", text)}


def _upload(client: Client, key: str, content: bytes) -> str:
    s3 = client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    return f"{s3.meta.endpoint_url}/{_BUCKET}/{key}"


def deploy(
    client: Client, template: Template, check: Callable[[], None], stack_name: str = STACK_NAME
) -> dict[str, str]:
    """Create the stack and return its outputs.

    `check` is called while waiting, and raises if waiting is pointless. Raises `StackError` with the reasons of the
    resources that failed.
    """
    cloudformation = client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=stack_name,
        ChangeSetName="create",
        ChangeSetType="CREATE",
        **upload(client, template),
        Capabilities=_CAPABILITIES,
    )["Id"]
    planned = _settled(lambda: cloudformation.describe_change_set(ChangeSetName=change_set), "Status", check)
    if planned["Status"] != "CREATE_COMPLETE":
        raise StackError(f"The change set is {planned['Status']}: {planned.get('StatusReason')}")
    cloudformation.execute_change_set(ChangeSetName=change_set)
    stack = _settled(lambda: cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0], "StackStatus", check)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        # A page has only the newest 100 events, which may all be about what was then deleted.
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_name)
        events = [event for page in pages for event in page["StackEvents"]]
        reasons = [
            f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise StackError("\n".join([f"The stack ended as {stack['StackStatus']}:", *reasons]))
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _settled(describe: Callable[[], dict[str, Any]], status: str, check: Callable[[], None]) -> dict[str, Any]:
    """Describe until the status is final."""
    deadline = time.monotonic() + _TIMEOUT
    while (described := describe())[status].endswith(("_PENDING", "_IN_PROGRESS")):
        check()
        if time.monotonic() > deadline:
            raise StackError(f"CloudFormation is still at {described[status]} after {_TIMEOUT:.0f} s")
        time.sleep(0.05)
    return described
