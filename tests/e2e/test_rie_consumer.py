"""The consumer's zip under the real Lambda runtime, with nothing beside it but what AWS puts there."""

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
    made = {name: session.create_client(name, endpoint_url=moto_server) for name in ("dynamodb", "sqs")}
    create_table(made["dynamodb"], TABLE)
    return made


@pytest.fixture(scope="module")
def dlq_url(clients: dict[str, Any]) -> str:
    """Create the dead-letter queue."""
    url: str = clients["sqs"].create_queue(QueueName="dead-letters-under-rie")["QueueUrl"]
    return url


@pytest.fixture(scope="module")
def consumer(moto_server: str, dlq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Start the consumer from its zip; all tests of this file share its sandbox."""
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
    """Return what is in the table, by key."""
    items = [decode_item(item) for item in clients["dynamodb"].scan(TableName=TABLE)["Items"]]
    return {item["recommendationId"]: item for item in items}


def test_a_batch_is_stored_and_its_poison_set_aside(consumer: Sandbox, clients: dict[str, Any], dlq_url: str) -> None:
    """The answer acknowledges all of it."""
    sent = [envelope(f"agent-{number}", retention=None) for number in range(30)]
    answer = consumer.invoke(event(*(one.to_json().decode() for one in sent), "not an envelope"))
    assert answer == {"batchItemFailures": []}
    found = stored(clients)
    assert found.keys() >= {one.recommendation_id for one in sent}
    assert found[sent[0].recommendation_id]["recommendation"] == {"action": "roll back"}
    (dead,) = clients["sqs"].receive_message(QueueUrl=dlq_url, MessageAttributeNames=["All"])["Messages"]
    assert dead["Body"] == "not an envelope"
    assert dead["MessageAttributes"]["failureReason"]["StringValue"] == "InvalidJson"
    assert dead["MessageAttributes"]["originalMessageId"]["StringValue"] == "m30"


def test_the_second_invocation_runs_in_the_same_sandbox(consumer: Sandbox, clients: dict[str, Any]) -> None:
    """On the loop and over the connections of the first."""
    for incident in ("incident-of-the-first", "incident-of-the-second"):
        assert consumer.invoke(event(*bodies(2, incident_id=incident, retention=None))) == {"batchItemFailures": []}
        assert sum(item["incidentId"] == incident for item in stored(clients).values()) == 2
    assert consumer.log.read_text().count("(rapid) exec ") == 1


def test_an_error_takes_lambdas_form_and_holds_no_message(consumer: Sandbox) -> None:
    """And leaves the sandbox usable."""
    secret = "a-secret-body"  # noqa: S105 - not a password, a word to look for
    failed = consumer.invoke({"Records": [{"body": secret}]})
    assert failed["errorType"] == "MalformedEventError"
    assert failed["errorMessage"]
    assert "/recommendation_consumer/handler.py" in "".join(failed["stackTrace"])
    assert secret not in json.dumps(failed)
    assert consumer.invoke(event(*bodies(1))) == {"batchItemFailures": []}
    assert secret not in consumer.log.read_text()


def test_the_log_is_lambdas(consumer: Sandbox) -> None:
    """JSON lines with the request's ID, and EMF metrics, on stdout."""
    consumer.invoke(event(*bodies(1, incident_id="incident-in-the-log", retention=None)))
    lines = [json.loads(line) for line in consumer.log.read_text().splitlines() if line.startswith("{")]
    assert any("_aws" in line and line.get("RecommendationsPersisted") for line in lines)
    (told,) = [line for line in lines if "for incident-in-the-log" in str(line.get("message"))]
    assert told["function_request_id"]


def test_what_is_not_of_the_artifact_cannot_be_imported(tmp_path: Path) -> None:
    """Else the tests of this file would show nothing."""
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
