"""Updating a stack under load loses nothing, whether the update succeeds or is rolled back."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

import pytest

from infra.build.zips import build_for_this_python
from infra.local import LocalStack, deployment
from infra.local.depth import depth
from infra.local.differences import apply_all
from infra.paths import ROOT, TEMPLATE
from infra.template import Template
from recommendation_shared.item.encoding import item_digest
from tests.support.lambdas.event import envelope

if TYPE_CHECKING:
    from recommendation_shared.envelope import Envelope

pytestmark = pytest.mark.stack

STACK = "opx-recommendations-updated"
SUFFIX = "-updated"
TABLE = f"opx-agent-recommendations{SUFFIX}"
_TIMEOUT = 40.0  # seconds; on an idle machine, each test takes about five

# The emulator rejects it, but only when it is created: see infra/local/differences.py.
UNDEPLOYABLE = {
    "Type": "AWS::CloudWatch::Alarm",
    "DependsOn": ["ConsumerQueue"],
    "Properties": {
        "AlarmName": f"undeployable{SUFFIX}",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "Metrics": [{"Id": "one", "Expression": "1"}],
    },
}


def template(stack: LocalStack, batch_size: int) -> Template:
    """Return the packaged template of a second stack next to the one that the tests share."""
    parameters = {
        "NameSuffix": SUFFIX,
        "BatchSize": str(batch_size),
        "MaximumConcurrency": "2",
        "VisibilityTimeout": "5",
    }
    built = build_for_this_python()
    adjusted = apply_all(deployment.load_template(TEMPLATE, parameters))
    return deployment.package(stack.client, adjusted, ROOT / built.path, built.digest)


@pytest.fixture(scope="module")
def outputs(stack: LocalStack) -> Iterator[dict[str, str]]:
    """The outputs of the second stack, which is deleted afterwards."""
    yield deployment.deploy(stack.client, template(stack, 10), stack.check, STACK)
    stack.client("cloudformation").delete_stack(StackName=STACK)
    stack.client("dynamodb").delete_table(TableName=TABLE)
    for name in ("", "-dlq"):  # they too outlive their stack
        url = stack.client("sqs").get_queue_url(QueueName=f"opx-recommendations{SUFFIX}{name}")["QueueUrl"]
        stack.client("sqs").delete_queue(QueueUrl=url)


def until(stack: LocalStack, reached: Callable[[], bool], what: str) -> None:
    """Wait until `reached` returns true, as long as the local stack runs."""
    deadline = time.monotonic() + _TIMEOUT
    while not reached():
        stack.check()
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.05)


class Traffic:
    """A stream of recommendations into the queue, from another thread, until it is stopped."""

    def __init__(self, stack: LocalStack, queue_url: str, incident: str) -> None:
        self.sent: list[Envelope] = []
        self._sqs, self._queue_url, self._incident = stack.client("sqs"), queue_url, incident
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until the last one is sent."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(0.05):
            batch = [
                envelope(f"agent-{len(self.sent) + number}", incident_id=self._incident, retention=None)
                for number in range(10)
            ]
            bodies = [each.to_json().decode() for each in batch]
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            answer = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            self.sent += [batch[int(accepted["Id"])] for accepted in answer["Successful"]]


def stored(stack: LocalStack, incident: str) -> list[dict[str, Any]]:
    """Return all items of an incident."""
    pages = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=TABLE,
            IndexName="incidentId-timestamp-index",
            KeyConditionExpression="incidentId = :incident",
            ExpressionAttributeValues={":incident": {"S": incident}},
        )
    )
    return [item for page in pages for item in page["Items"]]


def update_under_load(stack: LocalStack, outputs: dict[str, str], wanted: Template, incident: str) -> str:
    """Update the stack while recommendations pass through it; return the final status of the update.

    Everything sent before, during and after the update must be stored intact and once, and nothing dead-lettered.
    """
    cloudformation, sqs = stack.client("cloudformation"), stack.client("sqs")

    def status() -> str:
        return str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])

    change_set = cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName=incident,
        ChangeSetType="UPDATE",
        **deployment.upload(stack.client, wanted),
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )["Id"]
    until(
        stack,
        lambda: cloudformation.describe_change_set(ChangeSetName=change_set)["Status"] == "CREATE_COMPLETE",
        "planned",
    )
    with Traffic(stack, outputs["QueueUrl"], incident) as traffic:
        until(stack, lambda: len(stored(stack, incident)) > 0, "consuming")
        until(stack, lambda: depth(sqs, outputs["QueueUrl"]) > 0, "in flight")
        sent_before = len(traffic.sent)
        cloudformation.execute_change_set(ChangeSetName=change_set)
        until(stack, lambda: not status().endswith("_IN_PROGRESS"), "updated")
        ended = status()
        until(stack, lambda: len(traffic.sent) > sent_before + 20, "sent to after the update")
    until(stack, lambda: len(stored(stack, incident)) >= len(traffic.sent), "all stored")
    until(stack, lambda: depth(sqs, outputs["QueueUrl"]) == 0, "acknowledged")
    items = stored(stack, incident)
    assert sorted(item["recommendationId"]["S"] for item in items) == sorted(
        sent.recommendation_id for sent in traffic.sent
    )
    assert all(item_digest(item) == item["contentDigest"]["S"] for item in items)
    assert depth(sqs, outputs["DeadLetterQueueUrl"]) == 0
    return ended


def batch_size(stack: LocalStack, outputs: dict[str, str]) -> int:
    """Return the event source mapping's current batch size."""
    mappings = stack.client("lambda").list_event_source_mappings(EventSourceArn=outputs["QueueArn"])
    (mapping,) = mappings["EventSourceMappings"]
    return int(mapping["BatchSize"])


def events(stack: LocalStack) -> list[str]:
    """Return the events of the stack's resources, oldest first."""
    pages = stack.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=STACK)
    newest_first = [event for page in pages for event in page["StackEvents"]]  # a page has 100: not even one update
    return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in reversed(newest_first)]


def test_changing_the_batch_size_under_load_loses_nothing(stack: LocalStack, outputs: dict[str, str]) -> None:
    """The mapping continues with the new batch size."""
    assert batch_size(stack, outputs) == 10
    assert update_under_load(stack, outputs, template(stack, 20), "incident-updated") == "UPDATE_COMPLETE"
    assert batch_size(stack, outputs) == 20


def test_an_update_that_is_rolled_back_under_load_loses_nothing(stack: LocalStack, outputs: dict[str, str]) -> None:
    """The mapping has already changed when another resource fails, and is then restored."""
    before, events_before = batch_size(stack, outputs), len(events(stack))
    wanted = template(stack, 500)
    wanted["Resources"]["Undeployable"] = UNDEPLOYABLE
    assert update_under_load(stack, outputs, wanted, "incident-rolled-back") == "UPDATE_ROLLBACK_COMPLETE"
    assert batch_size(stack, outputs) == before
    done = events(stack)[events_before:]
    changed_to, changed_back = (number for number, event in enumerate(done) if event == "ConsumerQueue UPDATE_COMPLETE")
    (failed,) = (number for number, event in enumerate(done) if event.startswith("Undeployable") and "FAILED" in event)
    assert changed_to < failed < changed_back
