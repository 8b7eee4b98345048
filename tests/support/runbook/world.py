"""The stack that the runbook's commands run on, and what can happen to it."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from examples.alarms.refusing_table import RefusingTable
from infra.build.zips import build_for_this_python
from infra.local import LocalStack
from infra.local.depth import depth
from infra.paths import ROOT
from recommendation_shared.envelope.model import Envelope

INCIDENT: Final = "incident-runbook"
EXECUTOR: Final = "opx-phase6-executor"
WAIT: Final = 60.0  # seconds; a busy machine needs more than 20

EXECUTOR_CODE: Final = """
import datetime
from recommendation_producer import RecommendationProducer

producer = RecommendationProducer.from_env()

@producer.lambda_handler
def handler(event, context):
    producer.enqueue(incident_id="incident-runbook", execution_id="of-the-executor", agent_type="consensus",
                     timestamp=datetime.datetime.now(datetime.timezone.utc), recommendation={"action": "roll back"})
    producer.flush(timeout=15)  # on a busy machine, the first request takes longer than the decorator's drain waits
    return "incident handled"
"""


class World:
    """A stack, its table's proxy, and the actions that the situations are made of."""

    def __init__(self, stack: LocalStack, table: RefusingTable) -> None:
        self.stack, self.table = stack, table
        self.sqs, self.functions, self.iam = (stack.client(name) for name in ("sqs", "lambda", "iam"))
        self._sent = 0

    def body(self, execution_id: str, agent_type: str = "knowledge-rag", **wire: Any) -> str:
        """Return a message as an executor sends it, with some fields replaced."""
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
        """Wait until `done` returns something true; `what` names it."""
        deadline = time.monotonic() + WAIT
        while not done():
            self.stack.check()
            assert time.monotonic() < deadline, f"not within {WAIT} s: {what}"
            time.sleep(0.05)

    def until_dead(self, number: int) -> None:
        """Wait until that many dead letters are visible."""
        name = "ApproximateNumberOfMessages"

        def visible() -> int:
            answer = self.sqs.get_queue_attributes(QueueUrl=self.stack.dlq_url, AttributeNames=[name])
            return int(answer["Attributes"][name])

        self.until(f"{number} dead letters", lambda: visible() == number)

    def store(self, body: str) -> None:
        """Send a recommendation and wait until it is what the table holds."""
        sent = json.loads(body)
        key = {"recommendationId": {"S": sent["recommendationId"]}}
        self.send(body)

        def held() -> bool:
            item = self.stack.client("dynamodb").get_item(TableName=self.stack.table_name, Key=key).get("Item", {})
            return bool(item.get("reasoning") == {"S": sent["reasoning"]})

        self.until("stored", held)

    def until_empty(self) -> None:
        """Wait until the queue is empty and no message is in flight."""
        self.until("the queue is empty", lambda: depth(self.sqs, self.stack.queue_url) == 0)

    def until_logged(self, text: str, function: str | None = None) -> None:
        """Wait until a function, by default the consumer, has logged a text."""
        group = f"/aws/lambda/{function or self.stack.outputs['ConsumerFunctionName']}"
        logs = self.stack.client("logs")
        self.until(
            f"{text!r} in {group}",
            lambda: any(text in event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]),
        )

    def stored(self, execution_id: str) -> bool:
        """Return whether the table has a recommendation of an execution."""
        answer = self.stack.client("dynamodb").query(
            TableName=self.stack.table_name,
            IndexName="executionId-timestamp-index",
            KeyConditionExpression="executionId = :e",
            ExpressionAttributeValues={":e": {"S": execution_id}},
        )
        return bool(answer["Count"])

    def deny_writes(self) -> Callable[[], None]:
        """Remove the consumer's permission to write; return a function that restores it."""
        role = self.stack.outputs["ConsumerRoleArn"].rpartition("/")[2]
        (name,) = self.iam.list_role_policies(RoleName=role)["PolicyNames"]
        policy = self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

        def put(document: Any) -> None:
            self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

        others = [statement for statement in policy["Statement"] if statement.get("Sid") != "Store"]
        put({**policy, "Statement": others})
        return lambda: put(policy)

    def deploy_executor(self, queue_url: str) -> None:
        """Create an executor of three lines, with the template's executor policy and no other permission."""
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
        """Have the executor handle an incident; return its result."""
        return json.loads(self.functions.invoke(FunctionName=EXECUTOR)["Payload"].read())
