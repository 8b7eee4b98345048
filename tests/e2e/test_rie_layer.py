"""The producer's layer under the real Lambda runtime, behind the packages of the executor that it is for."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra.build.artifacts import LAYER
from infra.paths import ROOT
from recommendation_shared.envelope import Envelope
from tests.support.lambdas.emulator import Sandbox, cannot_run, sandbox, unpack, where_it_runs
from tests.support.lambdas.zips import EXECUTOR_PYTHON, packages_of_executor

EXECUTOR = """
import boto3
from recommendation_producer import RecommendationProducer

producer = RecommendationProducer.from_env()


@producer.lambda_handler
def handler(event, context):
    outcome = producer.enqueue(
        incident_id=event["incident"],
        execution_id=context.aws_request_id,
        agent_type="consensus",
        timestamp="2026-01-31T12:00:00Z",
        recommendation={"action": "roll back"},
    )
    if event.get("fails"):
        raise LookupError("the executor's own")
    return {"accepted": outcome.accepted, "of": event, "balance_before": producer.balance.sent}


def own_calls(event, context):
    return [boto3.__file__, boto3.client("dynamodb").meta.service_model.service_name]
"""


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the unpacked layer, Lambda's /opt."""
    return unpack(LAYER, tmp_path_factory.mktemp("opt"))


@pytest.fixture(scope="module")
def task_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an executor: its packages, its code from tests/hosts, and a handler of this module."""
    target, python = where_it_runs(EXECUTOR_PYTHON)
    if not python.version.startswith(EXECUTOR_PYTHON):
        cannot_run(f"the executor needs Python {EXECUTOR_PYTHON}")
    folder = tmp_path_factory.mktemp("task")
    for source in (packages_of_executor(target), ROOT / "tests" / "hosts" / "code" / "executor"):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "executor.py").write_text(EXECUTOR)
    return folder


@contextmanager
def behind_the_executor(
    folder: Path, task_root: Path, handler: str, environment: Mapping[str, str], opt: Path
) -> Iterator[Sandbox]:
    """Start a sandbox with the executor's Python."""
    with sandbox(folder, task_root, handler, environment, opt, version=EXECUTOR_PYTHON) as running:
        yield running


@pytest.fixture(scope="module")
def queue(moto_server: str) -> tuple[Any, str]:
    """Return an SQS client and the queue's URL."""
    client = botocore.session.Session().create_client("sqs", endpoint_url=moto_server)
    return client, client.create_queue(QueueName="queue-of-the-layer")["QueueUrl"]


@pytest.fixture(scope="module")
def executor(
    moto_server: str, queue: tuple[Any, str], opt: Path, task_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """Start the executor; all tests that use it share its sandbox."""
    environment = {"AWS_ENDPOINT_URL": moto_server, "RECOMMENDATIONS_QUEUE_URL": queue[1]}
    folder = tmp_path_factory.mktemp("rie")
    with behind_the_executor(folder, task_root, "executor.handler", environment, opt) as running:
        yield running


def received(queue: tuple[Any, str]) -> list[str]:
    """Receive and delete the messages in the queue, and return their incidents."""
    client, url = queue
    messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [Envelope.from_json(message["Body"].encode()).incident_id for message in messages]


def test_enqueued_recommendation_is_in_the_queue_when_the_handler_returns(
    executor: Sandbox, queue: tuple[Any, str]
) -> None:
    """The sandbox freezes after that. The handler's result is unchanged."""
    event = {"incident": "incident-of-the-layer", "more": [1, None, "ü"]}
    assert executor.invoke(event) == {"accepted": True, "of": event, "balance_before": 0}
    assert received(queue) == ["incident-of-the-layer"]


def test_next_invocation_uses_the_same_producer(executor: Sandbox, queue: tuple[Any, str]) -> None:
    """The sandbox has one producer, whose counts continue."""
    executor.invoke({"incident": "incident-before"})
    sent = executor.invoke({"incident": "incident-after"})["balance_before"]
    assert sent >= 1
    assert received(queue) == ["incident-before", "incident-after"]
    assert executor.log.read_text().count("(rapid) exec ") == 1


def test_failing_executor_keeps_its_error_and_loses_nothing(executor: Sandbox, queue: tuple[Any, str]) -> None:
    """Its error reaches Lambda unchanged, and its recommendation reaches the queue."""
    failed = executor.invoke({"incident": "incident-that-fails", "fails": True})
    assert (failed["errorType"], failed["errorMessage"]) == ("LookupError", "the executor's own")
    assert received(queue) == ["incident-that-fails"]


def test_every_output_of_the_langgraph_executor_is_in_the_queue_when_it_returns(
    moto_server: str, queue: tuple[Any, str], opt: Path, task_root: Path, tmp_path: Path
) -> None:
    """Six agents and their consensus, with the executor's own versions of everything."""
    environment = {"AWS_ENDPOINT_URL": moto_server, "RECOMMENDATIONS_QUEUE_URL": queue[1]}
    with behind_the_executor(tmp_path, task_root, "handler.handler", environment, opt) as running:
        result = running.invoke({"incident": "incident-of-the-graph"})
    assert result == {
        "accepted": 7,
        "reasons": [],
        "versions": ["1.35.76", "2.10.3", "0.2.45"],
        "incidents": "dynamodb",
        "model": "ChatBedrock",
    }
    assert received(queue) == ["incident-of-the-graph"] * 7


def test_executor_works_without_a_queue(opt: Path, task_root: Path, tmp_path: Path) -> None:
    """Nothing listens at the endpoint: the result is the same, and the unsent recommendation is counted."""
    environment = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "RECOMMENDATIONS_QUEUE_URL": "http://127.0.0.1:9/123456789012/queue",
    }
    with behind_the_executor(tmp_path, task_root, "executor.handler", environment, opt) as running:
        assert running.invoke({"incident": "incident-unsent"})["accepted"] is True
        counted = "pending: 1; latest cause: SendMessageBatch failed: EndpointConnectionError"
        deadline = time.monotonic() + 30  # on a busy machine, the first attempt fails after the handler has returned
        while counted not in running.log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert counted in running.log.read_text()


def test_executors_own_calls_use_its_own_boto3(opt: Path, task_root: Path, tmp_path: Path) -> None:
    """The layer brings no other."""
    environment = {"RECOMMENDATIONS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/q"}
    with behind_the_executor(tmp_path, task_root, "executor.own_calls", environment, opt) as running:
        file, service = running.invoke({})
    assert Path(file).is_relative_to(task_root)
    assert service == "dynamodb"
    assert {folder.name for folder in opt.glob("python/*")} == {"recommendation_producer", "recommendation_shared"}
