"""`make deploy STAGE=dev` and `make destroy STAGE=dev`, with the real SAM CLI, against the local stack."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.build.zips import build_for_this_python
from infra.local import LocalStack, deployment
from infra.local.differences import apply_all
from infra.paths import ROOT, TEMPLATE
from tests.support.lambdas.event import envelope

pytestmark = pytest.mark.stack

SAM = Path(f"{sys.prefix}-sam", "bin", "sam")


@pytest.fixture(scope="module", autouse=True)
def _sam() -> None:
    """Skip if the SAM CLI is missing; fail in CI."""
    if not SAM.exists():
        why = f"{SAM} does not exist; run: make {sys.prefix}-sam/.ready"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)


def command(stack: LocalStack, module: str, *arguments: str) -> str:
    """Run one of the commands against the stack; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", module, "dev", "--confirm", "dev", *arguments],
        cwd=ROOT,
        env={**os.environ, **stack.env, "SAM_CLI_POLL_DELAY": "0.2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.timeout(300)  # the SAM CLI starts three times, which takes long on a busy machine
def test_a_deployed_stage_consumes_and_a_destroyed_one_leaves_nothing(stack: LocalStack, tmp_path: Path) -> None:
    """The template is adapted to the local stack; everything else is what runs against AWS."""
    adjusted = apply_all(deployment.load_template(TEMPLATE, {"MaximumConcurrency": "2"}))
    zip_file = build_for_this_python().path
    for resource in adjusted["Resources"].values():
        for artifact in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][artifact] = zip_file  # for the layer any zip will do, since nothing attaches it here
    template = tmp_path / "template.json"
    template.write_text(json.dumps(adjusted))

    output = command(stack, "infra.deploy", "--template", str(template), "--account", "000000000000")
    assert "account  000000000000" in output
    assert f"endpoint {stack.endpoint_url} (not AWS)" in output
    assert "CloudFormation stack changeset" in output
    assert "Successfully created/updated stack - opx-recommendations-dev" in output

    sqs, dynamodb = stack.client("sqs"), stack.client("dynamodb")
    sent = envelope(retention=None)
    queue_url = sqs.get_queue_url(QueueName="opx-recommendations-dev")["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody=sent.to_json().decode())
    table = {"TableName": "opx-agent-recommendations-dev"}
    deadline = time.monotonic() + 30
    while "Item" not in dynamodb.get_item(**table, Key={"recommendationId": {"S": sent.recommendation_id}}):
        stack.check()
        assert time.monotonic() < deadline, "the deployed stage does not consume"
        time.sleep(0.1)

    output = command(stack, "infra.deploy", "--template", str(template), "--account", "000000000000")
    assert "No changes to deploy" in output

    output = command(stack, "infra.deploy.destroy", "--account", "000000000000")
    assert "the queue opx-recommendations-dev, with about 0 messages" in output
    assert "the table opx-agent-recommendations-dev, with about 1 items" in output
    assert "the table opx-recommendation-reviews-dev, with about 0 items" in output
    names = [
        summary["StackName"]
        for summary in stack.client("cloudformation").list_stacks()["StackSummaries"]
        if summary["StackStatus"] != "DELETE_COMPLETE"
    ]
    assert "opx-recommendations-dev" not in names
    tables = set(dynamodb.list_tables()["TableNames"])
    assert not {table["TableName"], "opx-recommendation-reviews-dev"} & tables
    assert not sqs.list_queues(QueueNamePrefix="opx-recommendations-dev").get("QueueUrls")
    assert stack.table_name in tables, "the command destroyed another stage"
