"""The consumer's zip under the real Lambda runtime, next to nothing but the files that AWS provides."""

import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.build.artifacts import CONSUMER
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import create_table
from tests.support.lambdas.emulator import Sandbox, sandbox, unpack
from tests.support.lambdas.event import bodies, envelope, event

TABLE = "recommendations-under-rie"


@pytest.fixture(scope="module")
def clients(moto_server: str) -> dict[str, Any]:
    """Return clients of the table and the dead-letter queue."""
    session = botocore.session.Session()
    clients = {name: session.create_client(name, endpoint_url=moto_server) for name in ("dynamodb", "sqs")}
    create_table(clients["dynamodb"], TABLE)
    return clients


@pytest.fixture(scope="module")
def dlq_url(clients: dict[str, Any]) -> str:
    """Create the dead-letter queue and return its URL."""
    url: str = clients["sqs"].create_queue(QueueName="dead-letters-under-rie")["QueueUrl"]
    return url


@pytest.fixture(scope="module")
def consumer(moto_server: str, dlq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Start the consumer from its zip; all tests in this file share its sandbox."""
    task_root = unpack(CONSUMER, tmp_path_factory.mktemp("task"))
    environment = {
        "AWS_ENDPOINT_URL": moto_server,
        "RECOMMENDATIONS_TABLE": TABLE,
        "RECOMMENDATIONS_DLQ_URL": dlq_url,
        "POWERTOOLS_SERVICE_NAME": "recommendation-consumer",
    }
    with sandbox(
        tmp_path_factory.mktemp("rie"), task_root, "recommendation_consumer.handler.handler", environment
    ) as running:
        yield running


def stored(clients: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the table's items by key."""
    items = [decode_item(item) for item in clients["dynamodb"].scan(TableName=TABLE)["Items"]]
    return {item["recommendationId"]: item for item in items}


def test_batch_is_stored_and_its_poison_dead_lettered(consumer: Sandbox, clients: dict[str, Any], dlq_url: str) -> None:
    """The response acknowledges every message."""
    sent = [envelope(f"agent-{number}", retention=None) for number in range(30)]
    response = consumer.invoke(event(*(message.to_json().decode() for message in sent), "not an envelope"))
    assert response == {"batchItemFailures": []}
    items = stored(clients)
    assert items.keys() >= {message.recommendation_id for message in sent}
    assert items[sent[0].recommendation_id]["recommendation"] == {"action": "roll back"}
    (letter,) = clients["sqs"].receive_message(QueueUrl=dlq_url, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "not an envelope"
    assert letter["MessageAttributes"]["failureReason"]["StringValue"] == "InvalidJson"
    assert letter["MessageAttributes"]["originalMessageId"]["StringValue"] == "m30"


def test_second_invocation_runs_in_the_same_sandbox(consumer: Sandbox, clients: dict[str, Any]) -> None:
    """It uses the event loop and the connections of the first."""
    for incident in ("incident-of-the-first", "incident-of-the-second"):
        assert consumer.invoke(event(*bodies(2, incident_id=incident, retention=None))) == {"batchItemFailures": []}
        assert sum(item.get("incidentId") == incident for item in stored(clients).values()) == 2
    assert consumer.log.read_text().count("(rapid) exec ") == 1


def test_error_is_reported_as_lambda_does_and_contains_no_message_body(consumer: Sandbox) -> None:
    """The sandbox remains usable."""
    secret = "a-secret-body"  # noqa: S105 - not a password, but a word to search for
    failed = consumer.invoke({"Records": [{"body": secret}]})
    assert failed["errorType"] == "MalformedEventError"
    assert failed["errorMessage"]
    assert "/recommendation_consumer/handler.py" in "".join(failed["stackTrace"])
    assert secret not in json.dumps(failed)
    assert consumer.invoke(event(*bodies(1))) == {"batchItemFailures": []}
    assert secret not in consumer.log.read_text()


def test_log_goes_to_stdout_as_json_lines_and_emf(consumer: Sandbox) -> None:
    """Each log line carries the request ID."""
    consumer.invoke(event(*bodies(1, incident_id="incident-in-the-log", retention=None)))
    lines = [json.loads(line) for line in consumer.log.read_text().splitlines() if line.startswith("{")]
    assert any("_aws" in line and line.get("RecommendationsPersisted") for line in lines)
    (logged,) = [line for line in lines if "for incident-in-the-log" in str(line.get("message"))]
    assert logged["function_request_id"]


def test_modules_outside_the_artifact_cannot_be_imported(tmp_path: Path) -> None:
    """Otherwise the tests in this file would prove nothing."""
    task_root = tmp_path / "task"
    task_root.mkdir()
    packages = sysconfig.get_path("purelib")
    (task_root / "escape.py").write_text(
        f"import sys\nsys.path.append({packages!r})\n\ndef handler(event, context):\n    import pytest\n"
    )
    with sandbox(tmp_path, task_root, "escape.handler", {}) as running:
        failed = running.invoke({})
    assert failed["errorType"] == "PermissionError"
    assert packages in failed["errorMessage"]
