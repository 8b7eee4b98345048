"""Each difference in the local template is still needed: without it, the emulator fails as it is known to fail.

A failing test is good news here: delete the difference and the test.
"""

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.build.zips import build
from infra.local import StackError, deployment, ports
from infra.local.differences import DIFFERENCES, apply_all
from infra.local.emulator import Emulator
from infra.local.stack import client
from infra.paths import TEMPLATE
from infra.template import Template

HANDLER = "def handler(event, context):\n    return {'batchItemFailures': []}\n"
NAMING_HANDLER = (
    "def handler(event, context):\n"
    "    for record in event['Records']:\n"
    "        print('keeper got', record['eventName'])\n"
    "    return {'batchItemFailures': []}\n"
)
DELETE = "The emulator no longer needs the difference {}: delete it and this test."


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator for these tests alone: one of the faults stops its poller permanently."""
    running = Emulator(tmp_path_factory.mktemp("differences"))
    try:
        running.start(ports.choose(0))
        yield running
    finally:
        running.stop()


@pytest.fixture
def client_for(emulator: Emulator) -> Callable[[str], Any]:
    """Return a function that creates clients for the emulator."""
    return lambda service: client(emulator.endpoint_url, service)


def template_without(name: str) -> Template:
    """Return the real template with all differences but one, whose name makes the physical names unique."""
    suffix = f"-{name.rsplit('-', maxsplit=1)[-1]}"
    template = deployment.load_template(TEMPLATE, {"NameSuffix": suffix})
    return apply_all(template, tuple(difference for difference in DIFFERENCES if difference.name != name))


def only(template: Template, *names: str) -> Template:
    """Keep only these resources and the outputs that refer to one of them, perhaps under a condition."""
    resources = {name: template["Resources"][name] for name in names}
    outputs = {name: output for name, output in template["Outputs"].items() if referred(output["Value"]) in names}
    return {**template, "Resources": resources, "Outputs": outputs}


def zip_of(name: str, text: str, folder: Path) -> Path:
    """Return the zip of a function that consists of this one file."""
    archive = folder / "handler.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(name, text)
    return archive


def referred(value: Any) -> str | None:
    """Return the name of the resource that an output refers to: if a condition decides, the one if it is true."""
    match value:
        case {"Ref": name}:
            return str(name)
        case {"Fn::If": [_, if_true, _]}:
            return referred(if_true)
    return None


def test_batch_actions_by_name(emulator: Emulator, client_for: Callable[[str], Any], tmp_path: Path) -> None:
    """The consumer, with the permission that AWS requires, cannot dead-letter poison."""
    zipped = build("local", tmp_path / "consumer.zip")
    template = template_without("batch-actions-by-name")
    template = deployment.package(client_for, template, Path(zipped.path), zipped.digest)
    outputs = deployment.deploy(client_for, template, emulator.check, "batch-actions")
    sqs, dead = client_for("sqs"), outputs["DeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=outputs["QueueUrl"], MessageBody="not JSON")
    deadline = time.monotonic() + 20
    while "Could not dead-letter 1 message: AccessDenied" not in emulator.log.read_text():
        assert "Messages" not in sqs.receive_message(QueueUrl=dead), DELETE.format("batch-actions-by-name")
        assert time.monotonic() < deadline, "the consumer did not get the message"
        time.sleep(0.1)


def test_literal_maximum_concurrency(emulator: Emulator, client_for: Callable[[str], Any], tmp_path: Path) -> None:
    """With a reference to the parameter, the poller fails and consumes nothing."""
    archive = zip_of("recommendation_consumer/handler.py", HANDLER, tmp_path)
    template = deployment.package(client_for, template_without("literal-maximum-concurrency"), archive, "differences")
    outputs = deployment.deploy(client_for, template, emulator.check, "concurrency")

    sqs, queue = client_for("sqs"), outputs["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    deadline = time.monotonic() + 10
    while "ESM SQS poller error: '>=' not supported between instances of 'int' and 'str'" not in (
        emulator.log.read_text()
    ):
        assert time.monotonic() < deadline, DELETE.format("literal-maximum-concurrency")
        time.sleep(0.1)
    waiting = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert waiting["Attributes"]["ApproximateNumberOfMessages"] == "1"


def test_no_metric_math_alarms(emulator: Emulator, client_for: Callable[[str], Any]) -> None:
    """An alarm on a metric expression rolls the stack back."""
    template = only(template_without("no-metric-math-alarms"), "PersistenceFailureRateAlarm")
    try:
        deployment.deploy(client_for, template, emulator.check, "alarm")
    except StackError as error:
        assert "metric math) is not supported" in str(error)
    else:
        pytest.fail(DELETE.format("no-metric-math-alarms"))


def test_no_saved_queries(emulator: Emulator, client_for: Callable[[str], Any]) -> None:
    """The emulator rejects the whole template because of a saved query."""
    rejected(emulator, client_for, "no-saved-queries", "IncidentQuery", "AWS::Logs::QueryDefinition")


def test_no_backup_selection(emulator: Emulator, client_for: Callable[[str], Any]) -> None:
    """The emulator rejects the whole template because of a backup selection, unless its condition is false."""
    rejected(emulator, client_for, "no-backup-selection", "BackupSelection", "AWS::Backup::BackupSelection")


def test_no_composite_alarm(emulator: Emulator, client_for: Callable[[str], Any]) -> None:
    """The emulator rejects the whole template because of a composite alarm, unless its condition is false."""
    rejected(emulator, client_for, "no-composite-alarm", "LossAlarm", "AWS::CloudWatch::CompositeAlarm")


def rejected(emulator: Emulator, client_for: Callable[[str], Any], name: str, resource: str, kind: str) -> None:
    """Check that without this difference, the emulator rejects the template because of its resource's type."""
    template = only(template_without(name), resource)
    template["Parameters"]["BackupDays"]["Default"] = 1
    template["Parameters"]["PagerComposite"]["Default"] = "true"
    try:
        deployment.deploy(client_for, template, emulator.check, name)
    except ClientError as error:
        assert f"Unrecognized resource types: [{kind}]" in str(error)
    else:
        pytest.fail(DELETE.format(name))


def test_no_tls_only_policies(emulator: Emulator, client_for: Callable[[str], Any]) -> None:
    """The policy denies every call, because the emulator is reached over plain HTTP."""
    template = only(template_without("no-tls-only-policies"), "Queue", "DeadLetterQueue", "QueueTlsPolicy")
    outputs = deployment.deploy(client_for, template, emulator.check, "tls")
    try:
        client_for("sqs").send_message(QueueUrl=outputs["QueueUrl"], MessageBody="{}")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
    else:
        pytest.fail(DELETE.format("no-tls-only-policies"))


def test_removals_by_anyone(emulator: Emulator, client_for: Callable[[str], Any], tmp_path: Path) -> None:
    """The keeper is not invoked for what somebody deletes, although the pattern matches a missing principal."""
    archive = zip_of("recommendation_consumer/keeper/handler.py", NAMING_HANDLER, tmp_path)
    template = deployment.package(client_for, template_without("removals-by-anyone"), archive, "keeper")
    parts = "Keeper", "KeeperRole", "KeeperLogGroup", "KeeperFailureQueue", "Table", "DeadLetterQueue"
    table = {"TableName": deployment.deploy(client_for, only(template, *parts), emulator.check, "keeper")["TableName"]}
    dynamodb, key = client_for("dynamodb"), {"recommendationId": {"S": "rec-1"}}
    item = {**key, **{name: {"S": "x"} for name in ("incidentId", "executionId", "agentType", "timestamp")}}
    dynamodb.put_item(**table, Item=item)
    dynamodb.delete_item(**table, Key=key)
    dynamodb.put_item(**table, Item=item)
    dynamodb.put_item(**table, Item={**item, "reasoning": {"S": "y"}})  # delivered after the removal, if at all
    deadline = time.monotonic() + 20
    while "keeper got MODIFY" not in (log := emulator.log.read_text()):
        assert time.monotonic() < deadline, "the keeper did not get the change"
        time.sleep(0.1)
    assert "keeper got REMOVE" not in log, DELETE.format("removals-by-anyone")


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_a_difference_has_a_test_and_does_not_modify_its_argument(difference: Any) -> None:
    """Every difference needs a tested reason."""
    template = deployment.load_template(TEMPLATE, {})
    before = repr(template)
    assert difference.apply(template) != template
    assert repr(template) == before
    assert f"test_{difference.name.replace('-', '_')}" in globals()
