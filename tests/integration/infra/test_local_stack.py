"""The running local stack: what is deployed on it, who has which permissions, and what its function can see."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from infra.local import LocalStack
from infra.local.canary import INCIDENT_ID
from recommendation_shared.envelope import Envelope
from tests.support.kept_letters import take_letters

pytestmark = pytest.mark.stack

# A function with the consumer's role that returns what it sees and tries the calls that it is given.
PROBE = """
import os, sys

def handler(event, context):
    import botocore.session
    session = botocore.session.Session()
    outcomes = {}
    for service, operation, parameters in event["calls"]:
        try:
            getattr(session.create_client(service), operation)(**parameters)
            outcomes[operation] = "allowed"
        except Exception as error:
            outcomes[operation] = getattr(error, "response", {}).get("Error", {}).get("Code", repr(error))
    return {"path": sys.path, "environment": sorted(os.environ), "outcomes": outcomes}
"""


def envelope(incident: str) -> Envelope:
    """Return a small recommendation for an incident."""
    return Envelope.create(
        incident_id=incident,
        execution_id=f"execution-of-{incident}",
        agent_type="knowledge-rag",
        timestamp=datetime(2026, 1, 31, 12, tzinfo=UTC),
        recommendation={"action": "roll back"},
        retention=3650,
    )


def outcome(call: Callable[[], object]) -> str:
    """Return `allowed`, or the service's error code."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def assumed(stack: LocalStack, role: str) -> Callable[[str], Any]:
    """Return a function that creates clients with one of the stack's roles."""
    credentials = stack.client("sts").assume_role(RoleArn=stack.outputs[role], RoleSessionName="test")["Credentials"]
    session = botocore.session.Session()
    return lambda service: session.create_client(
        service,
        endpoint_url=stack.endpoint_url,
        region_name=stack.region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


@pytest.fixture(scope="module")
def stored(stack: LocalStack) -> str:
    """The ID of a recommendation that went through the queue into the table."""
    sent = envelope("incident-of-the-local-stack")
    stack.client("sqs").send_message(QueueUrl=stack.queue_url, MessageBody=sent.to_json().decode())
    key = {"recommendationId": {"S": sent.recommendation_id}}
    deadline = time.monotonic() + 30
    while "Item" not in stack.client("dynamodb").get_item(TableName=stack.table_name, Key=key):
        stack.check()
        assert time.monotonic() < deadline, "not stored"
        time.sleep(0.1)
    return sent.recommendation_id


@pytest.fixture(scope="module")
def probe(stack: LocalStack) -> Iterator[Callable[..., dict[str, Any]]]:
    """Yield a function that makes calls with the consumer's role, in Lambda, with its zip's botocore."""
    code = io.BytesIO()
    location = stack.client("lambda").get_function(FunctionName=stack.outputs["ConsumerFunctionName"])
    assert location["Configuration"]["Role"] == stack.outputs["ConsumerRoleArn"]
    deployed = _deployed_zip(stack)
    with zipfile.ZipFile(deployed) as bundle, zipfile.ZipFile(code, "w") as probe_zip:
        for name in bundle.namelist():
            if not name.startswith(("recommendation_consumer/", "recommendation_shared/")):
                probe_zip.writestr(name, bundle.read(name))
        probe_zip.writestr("probe.py", PROBE)
    functions = stack.client("lambda")
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Handler="probe.handler",
        Role=stack.outputs["ConsumerRoleArn"],
        Code={"ZipFile": code.getvalue()},
        Timeout=30,
    )

    def call(*calls: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
        answer = functions.invoke(FunctionName="probe", Payload=json.dumps({"calls": calls}))
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result

    yield call
    functions.delete_function(FunctionName="probe")


def _deployed_zip(stack: LocalStack) -> io.BytesIO:
    s3 = stack.client("s3")
    uploaded = s3.list_objects_v2(Bucket="opx-recommendations-packages")["Contents"]
    zips = [each for each in uploaded if each["Key"].endswith(".zip")]
    package = max(zips, key=lambda each: int(each["Size"]))  # the other one, if any, is the producer's layer
    return io.BytesIO(s3.get_object(Bucket="opx-recommendations-packages", Key=package["Key"])["Body"].read())


def test_the_canary_was_stored_and_deleted(stack: LocalStack) -> None:
    """The fixture returned, so it was stored; readers must not see it."""
    canaries = stack.client("dynamodb").query(
        TableName=stack.table_name,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :incident",
        ExpressionAttributeValues={":incident": {"S": INCIDENT_ID}},
    )
    assert canaries["Items"] == []


def test_the_queue_and_the_table_are_configured_as_in_production(stack: LocalStack) -> None:
    """Except for encryption and expiry, which the emulator does not implement."""
    sqs = stack.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 5
    assert redrive["deadLetterTargetArn"] == stack.outputs["DeadLetterQueueArn"]
    table = stack.client("dynamodb").describe_table(TableName=stack.table_name)["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {
        "incidentId-timestamp-index",
        "agentType-timestamp-index",
        "executionId-timestamp-index",
    }


def test_the_function_sees_only_its_zip(probe: Callable[..., dict[str, Any]]) -> None:
    """It sees no site-packages, so an incomplete zip fails here, and none of the user's variables."""
    seen = probe()
    assert not [entry for entry in seen["path"] if "site-packages" in entry]
    assert {"HOME", "PATH", "AWS_REGION", "AWS_ENDPOINT_URL"} <= set(seen["environment"])
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "PYTEST_CURRENT_TEST"} & set(seen["environment"])


def test_the_consumers_policy_is_enforced(stack: LocalStack, stored: str, probe: Callable[..., dict[str, Any]]) -> None:
    """It writes items and dead letters, but can neither read nor delete items."""
    key = {"recommendationId": {"S": stored}}
    item = {
        "recommendationId": {"S": "rec-probe"},
        **{name: {"S": "probe"} for name in ("incidentId", "executionId", "agentType", "timestamp")},
    }
    table = {"TableName": stack.table_name}
    outcomes = probe(
        ("dynamodb", "put_item", {**table, "Item": item}),
        ("dynamodb", "get_item", {**table, "Key": key}),
        ("dynamodb", "delete_item", {**table, "Key": key}),
        ("dynamodb", "scan", table),
        ("sqs", "send_message", {"QueueUrl": stack.queue_url, "MessageBody": "{}"}),
        ("sqs", "purge_queue", {"QueueUrl": stack.dlq_url}),
    )["outcomes"]
    stack.client("dynamodb").delete_item(**table, Key={"recommendationId": item["recommendationId"]})
    take_letters(stack, "Deleted")
    assert outcomes == {
        "put_item": "allowed",
        "get_item": "AccessDeniedException",
        "delete_item": "AccessDeniedException",
        "scan": "AccessDeniedException",
        "send_message": "AccessDenied",
        "purge_queue": "AccessDenied",
    }


def test_the_reader_can_read_but_not_write(stack: LocalStack, stored: str) -> None:
    """It reads by key and by index; scans are off by default."""
    dynamodb = assumed(stack, "ReaderRoleArn")("dynamodb")
    key = {"recommendationId": {"S": stored}}
    assert "Item" in dynamodb.get_item(TableName=stack.table_name, Key=key)
    answer = dynamodb.query(
        TableName=stack.table_name,
        IndexName="incidentId-timestamp-index",
        KeyConditionExpression="incidentId = :incident",
        ExpressionAttributeValues={":incident": {"S": "incident-of-the-local-stack"}},
    )
    assert answer["Count"] == 1
    assert outcome(lambda: dynamodb.delete_item(TableName=stack.table_name, Key=key)) == "AccessDeniedException"
    assert outcome(lambda: dynamodb.scan(TableName=stack.table_name)) == "AccessDeniedException"


def test_the_redrive_role_moves_dead_letters_and_cannot_touch_the_table(stack: LocalStack) -> None:
    """It can receive from the dead-letter queue and send to the queue, but nothing else."""
    clients = assumed(stack, "RedriveRoleArn")
    sqs, dynamodb = clients("sqs"), clients("dynamodb")
    body = envelope("incident-moved-back").to_json().decode()
    # With 0, messages stay visible to other tests, which may be waiting for a dead letter.
    assert outcome(lambda: sqs.receive_message(QueueUrl=stack.dlq_url, VisibilityTimeout=0)) == "allowed"
    assert outcome(lambda: sqs.send_message(QueueUrl=stack.queue_url, MessageBody=body)) == "allowed"
    assert outcome(lambda: sqs.receive_message(QueueUrl=stack.queue_url)) == "AccessDenied"
    assert outcome(lambda: sqs.send_message(QueueUrl=stack.dlq_url, MessageBody=body)) == "AccessDenied"
    assert outcome(lambda: dynamodb.scan(TableName=stack.table_name)) == "AccessDeniedException"


def test_the_environment_points_programs_at_the_stack(stack: LocalStack) -> None:
    """It has dummy credentials, so that no program can reach a real account."""
    environment = stack.env
    assert environment["AWS_ENDPOINT_URL"] == stack.endpoint_url
    assert stack.endpoint_url.startswith("http://127.0.0.1:")
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "test"
    assert environment["RECOMMENDATIONS_QUEUE_URL"] == stack.queue_url
    assert environment["RECOMMENDATIONS_DLQ_URL"] == stack.dlq_url
    assert environment["RECOMMENDATIONS_TABLE"] == stack.table_name == "opx-agent-recommendations"
    assert stack.log_path.is_file()
