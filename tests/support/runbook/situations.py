"""What has happened when somebody opens the runbook at a section: one generator for each section with commands.

Each runs up to its first `yield` before the section's first block, and to the next one after every block.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from examples.alarms.refusing_table import RefusingTable, publish_consumer
from infra.build.zips import build_for_this_python
from infra.local import LocalStack
from infra.paths import ROOT
from recommendation_shared.envelope.model import Envelope

Situation = Generator[None, None, None]

INCIDENT: Final = "incident-runbook"
EXECUTOR: Final = "opx-phase6-executor"
WAIT: Final = 20.0  # seconds

EXECUTOR_CODE: Final = """
import datetime
from recommendation_producer import RecommendationProducer

producer = RecommendationProducer.from_env()

@producer.lambda_handler
def handler(event, context):
    producer.enqueue(incident_id="incident-runbook", execution_id="of-the-executor", agent_type="consensus",
                     timestamp=datetime.datetime.now(datetime.timezone.utc), recommendation={"action": "roll back"})
    return "incident handled"
"""


class World:
    """The stack of the page, and what the situations do to it."""

    def __init__(self, stack: LocalStack, table: RefusingTable) -> None:
        self.stack, self.table = stack, table
        self.sqs, self.functions, self.iam = (stack.client(name) for name in ("sqs", "lambda", "iam"))
        self._sent = 0

    def body(self, execution_id: str, agent_type: str = "knowledge-rag", **wire: Any) -> str:
        """Return a message like an executor's, with some fields replaced on the wire."""
        self._sent += 1
        envelope = Envelope.create(
            incident_id=INCIDENT,
            execution_id=execution_id,
            agent_type=agent_type,
            timestamp=datetime.now(UTC) - timedelta(seconds=self._sent),
            recommendation={"action": "roll back"},
        )
        return json.dumps({**json.loads(envelope.to_json()), **wire})

    def send(self, *bodies: str) -> None:
        """Send messages to the queue."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.stack.queue_url, MessageBody=body)

    def until(self, what: str, done: Callable[[], object]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + WAIT
        while not done():
            self.stack.check()
            assert time.monotonic() < deadline, f"not within {WAIT} s: {what}"
            time.sleep(0.05)

    def depth(self, url: str, *names: str) -> int:
        """Return how many messages a queue has."""
        names = names or ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        return sum(map(int, answer["Attributes"].values()))

    def until_dead(self, number: int) -> None:
        """Wait until that many dead letters may be received."""
        dead = self.stack.dlq_url
        self.until(f"{number} dead letters", lambda: self.depth(dead, "ApproximateNumberOfMessages") == number)

    def until_empty(self) -> None:
        """Wait until the queue has nothing, and nothing is being worked on."""
        self.until("the queue is empty", lambda: self.depth(self.stack.queue_url) == 0)

    def until_logged(self, text: str, function: str | None = None) -> None:
        """Wait until a function, usually the consumer, has logged something."""
        group = f"/aws/lambda/{function or self.stack.outputs['ConsumerFunctionName']}"
        logs = self.stack.client("logs")
        self.until(
            f"{text!r} in {group}",
            lambda: any(text in event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]),
        )

    def stored(self, execution_id: str) -> bool:
        """Tell whether the table has a recommendation of an execution."""
        found = self.stack.client("dynamodb").query(
            TableName=self.stack.table_name,
            IndexName="executionId-timestamp-index",
            KeyConditionExpression="executionId = :e",
            ExpressionAttributeValues={":e": {"S": execution_id}},
        )
        return bool(found["Count"])

    def deny_writes(self) -> Callable[[], None]:
        """Take the consumer's permission to write away; return what gives it back."""
        role = self.stack.outputs["ConsumerRoleArn"].rpartition("/")[2]
        (name,) = self.iam.list_role_policies(RoleName=role)["PolicyNames"]
        policy = self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

        def put(document: Any) -> None:
            self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

        kept = [statement for statement in policy["Statement"] if statement.get("Sid") != "Store"]
        put({**policy, "Statement": kept})
        return lambda: put(policy)

    def deploy_executor(self, queue_url: str) -> None:
        """Create an executor of three lines, with the template's executor policy and no other right."""
        code = io.BytesIO(Path(build_for_this_python().path).read_bytes())
        with zipfile.ZipFile(code, "a") as bundle:
            for file in (ROOT / "producer").rglob("*.py"):
                bundle.write(file, file.relative_to(ROOT / "producer"))
            bundle.writestr("executor.py", EXECUTOR_CODE)
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = self.iam.create_role(
            RoleName=EXECUTOR, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )["Role"]["Arn"]
        self.iam.attach_role_policy(RoleName=EXECUTOR, PolicyArn=self.stack.outputs["ExecutorPolicyArn"])
        self.functions.create_function(
            FunctionName=EXECUTOR,
            Runtime="python3.13",
            Handler="executor.handler",
            Role=role,
            Code={"ZipFile": code.getvalue()},
            Timeout=30,
            Environment={"Variables": {"RECOMMENDATIONS_QUEUE_URL": queue_url, "INCIDENT_TABLE": "opx-incidents"}},
        )

    def run_executor(self) -> object:
        """Let the executor handle an incident; return its result."""
        return json.loads(self.functions.invoke(FunctionName=EXECUTOR)["Payload"].read())


def poison_arrived(world: World) -> Situation:
    """One message is not JSON, and its alarm is up."""
    world.send("roll back, quickly")
    world.until_dead(1)
    world.stack.client("cloudwatch").set_alarm_state(
        AlarmName="RecommendationDeadLetterQueueNotEmpty",
        StateValue="ALARM",
        StateReason="Threshold Crossed: 1 datapoint (1.0) was greater than the threshold (0.0).",
    )
    yield


def newer_executor(world: World) -> Situation:
    """An executor sends a version that the consumer does not know."""
    world.send(world.body("newer", schemaVersion=2))
    world.until_logged("UnknownSchemaVersion")
    yield
    world.sqs.purge_queue(QueueUrl=world.stack.queue_url)


def table_throttles(world: World) -> Situation:
    """DynamoDB refuses a write three times, and then takes it."""
    world.table.left = 3
    world.send(world.body("throttled"))
    world.until_logged("DynamoDB throttled")
    world.until_empty()
    yield


def poison_of_two_kinds(world: World) -> Situation:
    """One more dead letter, this one an envelope with a wrong field."""
    world.send(world.body("wrong-citations", citations=7))
    world.until_dead(2)
    yield


def consumer_stopped(world: World) -> Situation:
    """Somebody has disabled the mapping, and three recommendations wait."""
    mapping = {"UUID": world.stack.outputs["ConsumerMappingId"]}
    world.functions.update_event_source_mapping(**mapping, Enabled=False)
    world.send(*[world.body(f"waiting-{number}") for number in range(3)])
    yield
    yield
    yield
    world.functions.update_event_source_mapping(**mapping, Enabled=True, ScalingConfig={"MaximumConcurrency": 2})
    yield
    assert all(world.stored(f"waiting-{number}") for number in range(3))


def writes_denied(world: World) -> Situation:
    """Somebody has changed the consumer's role by hand."""
    allow = world.deny_writes()
    world.send(world.body("denied"))
    world.until_logged("AccessDeniedException")
    yield
    allow()
    world.until("stored once the right is back", lambda: world.stored("denied"))
    world.until_empty()


def rights_missing(world: World) -> Situation:
    """The same, looked at by the doctor."""
    allow = world.deny_writes()
    yield
    allow()


def queue_misspelt(world: World) -> Situation:
    """The executor was deployed with the URL of a queue that is not there."""
    world.deploy_executor(f"{world.stack.queue_url}-misspelt")
    assert world.run_executor() == "incident handled"
    world.until_logged("RecommendationsDropped", EXECUTOR)
    yield


def retries_exhausted(world: World) -> Situation:
    """Two recommendations failed five times in an outage; what they carry then is what SQS moved."""
    for number in (1, 2):
        body = world.body(f"execution-redriven-{number}")
        world.sqs.send_message(QueueUrl=world.stack.dlq_url, MessageBody=body)
    # All others of this incident, so that the page shows these alone.
    dynamodb = world.stack.client("dynamodb")
    for item in dynamodb.scan(TableName=world.stack.table_name)["Items"]:
        dynamodb.delete_item(TableName=world.stack.table_name, Key={"recommendationId": item["recommendationId"]})
    yield


def poison_kept(world: World) -> Situation:
    """The envelope with the wrong field is still there."""
    assert not world.stored("wrong-citations")
    yield
    yield
    world.until("the mended one is stored", lambda: world.stored("wrong-citations"))
    yield
    world.until_dead(1)


def nothing_special(_: World) -> Situation:
    """All is well."""
    yield


def bad_deployment(world: World) -> Situation:
    """The live version lacks a setting, so it cannot start."""
    assert publish_consumer(world.stack, RECOMMENDATIONS_DLQ_URL=None) == "3"
    world.send(world.body("deployed"))
    # In the emulator's log: it does not put what a function says before its first invocation into the log group.
    world.until("the consumer cannot start", lambda: "DLQ_URL is not set" in world.stack.log_path.read_text())
    assert not world.stored("deployed")
    yield
    yield
    world.until("stored by the version before", lambda: world.stored("deployed"))


def executor_works(world: World) -> Situation:
    """The executor sends to the right queue, is switched off and on again, and answers the same throughout."""
    world.functions.update_function_configuration(
        FunctionName=EXECUTOR,
        Environment={
            "Variables": {"RECOMMENDATIONS_QUEUE_URL": world.stack.queue_url, "INCIDENT_TABLE": "opx-incidents"}
        },
    )
    assert world.run_executor() == "incident handled"
    world.until("sent and stored", lambda: world.stored("of-the-executor"))
    yield
    assert world.run_executor() == "incident handled"
    world.until_logged('"Reason":"not_configured"', EXECUTOR)
    yield
    assert world.run_executor() == "incident handled"


SITUATIONS: Final[dict[str, Callable[[World], Situation]]] = {
    "first-five-minutes": poison_arrived,
    "highrecommendationpersistencefailurerate": newer_executor,
    "persistentrecommendationthrottling": table_throttles,
    "recommendationdeadletterqueuenotempty": poison_of_two_kinds,
    "recommendationqueueoldestmessage": consumer_stopped,
    "recommendationconsumererrors": writes_denied,
    "recommendationsdropped": queue_misspelt,
    "redrive-once-the-cause-is-fixed": retries_exhausted,
    "examine-poison": poison_kept,
    "stop-and-resume-the-consumer": nothing_special,
    "roll-back-a-deployment": bad_deployment,
    "access-denied-and-credentials": rights_missing,
    "restore-the-table": nothing_special,
    "switch-persistence-off-in-the-executor": executor_works,
    "a-bill-that-surprises": nothing_special,
}
