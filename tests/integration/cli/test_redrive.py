"""`recs dlq` as a process: over real HTTP, and with the whole pipeline."""

import json
import os
import pty
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from infra.local import LocalStack
from tests.support.fakes.dead_letter_queue import body, text_attributes
from tests.support.servers.queue_proxy import create_queues, queue_proxy

ROOT: Final = Path(__file__).parents[3]
NAME: Final = "cli-dlq-redriving"
INCIDENT: Final = "incident-redriven"


@dataclass
class Queues:
    """A queue and its dead-letter queue, and the environment that names them."""

    sqs: Any
    queue_url: str
    dlq_url: str
    environ: dict[str, str]

    def put(self, *entries: dict[str, Any]) -> None:
        """Put dead letters into the dead-letter queue."""
        numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
        assert not self.sqs.send_message_batch(QueueUrl=self.dlq_url, Entries=numbered).get("Failed")

    def count(self, url: str) -> int:
        """Return how many messages can be received."""
        names = ["ApproximateNumberOfMessages"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]])


@pytest.fixture
def queues(moto_server: str, tmp_path: Path) -> Iterator[Queues]:
    """Two empty queues behind a proxy."""
    sqs = boto3.client("sqs", endpoint_url=moto_server)
    queue_url, dlq_url = create_queues(sqs, NAME)
    with queue_proxy(moto_server) as proxy:
        environ = {
            **os.environ,
            "AWS_ENDPOINT_URL": proxy.url,
            "RECOMMENDATIONS_QUEUE_URL": queue_url,
            "RECOMMENDATIONS_DLQ_URL": dlq_url,
            "XDG_STATE_HOME": str(tmp_path),
            "TERM": "xterm",
        }
        yield Queues(sqs, queue_url, dlq_url, environ)
    sqs.delete_queue(QueueUrl=queue_url)
    sqs.delete_queue(QueueUrl=dlq_url)
    sqs.close()


def _dlq(environ: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recommendation_cli", "dlq", *args]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def _mixed() -> list[dict[str, Any]]:
    good = [{"MessageBody": body(number)} for number in range(4)]
    other = {"MessageBody": body(4, incident_id="incident-8")}
    attributes = {"raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}, **text_attributes(team="sre")}
    poison = {"MessageBody": "no JSON", "MessageAttributes": text_attributes(failureReason="InvalidJson")}
    return [*good, other, {"MessageBody": body(5, incident_id="incident-8"), "MessageAttributes": attributes}, poison]


def test_filtered_redrive_keeps_attributes_and_leaves_the_rest(queues: Queues) -> None:
    """SQS's own move has no filters, and this SQS has no moves."""
    queues.put(*_mixed())
    done = _dlq(queues.environ, "redrive", "--incident", "incident-8", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Redriven 2 dead letters to {NAME}.\n  5 left by the filters\nJournal: ")
    assert queues.count(queues.dlq_url) == 5
    arrived = queues.sqs.receive_message(
        QueueUrl=queues.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]
    attributes = {message["Body"]: message["MessageAttributes"] for message in arrived}
    counter = {"DataType": "Number", "StringValue": "1"}
    assert attributes[body(4, incident_id="incident-8")] == {"replayCount": counter}
    raw = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    assert attributes[body(5, incident_id="incident-8")] == {
        "replayCount": counter,
        "raw": raw,
        **text_attributes(team="sre"),
    }


def test_purge_deletes_once_the_queues_name_is_typed(queues: Queues, tmp_path: Path) -> None:
    """The prompt says how many messages it deletes from which queue."""
    queues.put(*_mixed())
    file = str(tmp_path / "poison.jsonl")
    assert _dlq(queues.environ, "save", file, "--reason", "InvalidJson").returncode == 0
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "recommendation_cli", "dlq", "purge", file],
        env=queues.environ,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        os.write(ours, f"{NAME}-dlq\n".encode())
        assert process.stdout is not None
        assert "Deleted 1 dead letter" in process.stdout.read()
        assert process.wait() == 0
    assert f"This permanently deletes 1 message from {NAME}-dlq." in os.read(ours, 4096).decode()
    os.close(ours)
    assert queues.count(queues.dlq_url) == 6


def test_script_passes_its_options_and_exit_code(queues: Queues) -> None:
    """It is `recs dlq redrive`, wherever this checkout's `recs` is."""
    script = str(ROOT / "scripts" / "redrive-dlq.sh")
    done = subprocess.run([script], env=queues.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"Error: There are no dead letters in the dead-letter queue {NAME}-dlq in {queues.environ['AWS_REGION']}.\n"
    )


def _wait_until_stored(stack: LocalStack, count: int) -> Counter[str]:
    dynamodb = stack.client("dynamodb")
    deadline = time.monotonic() + 30
    while True:
        items = dynamodb.query(
            TableName=stack.table_name,
            IndexName="incidentId-timestamp-index",
            KeyConditionExpression="incidentId = :i",
            ExpressionAttributeValues={":i": {"S": INCIDENT}},
        )["Items"]
        if len(items) >= count or time.monotonic() > deadline:
            return Counter(item["recommendationId"]["S"] for item in items)
        time.sleep(0.2)


@pytest.mark.stack
def test_redriven_messages_are_stored_once_even_if_sent_twice(stack: LocalStack, tmp_path: Path) -> None:
    """The real consumer stores them. MiniStack has no move tasks, so the whole queue is moved one by one."""
    bodies = [
        body(number, incident_id=INCIDENT, retention=None) for number in range(12)
    ]  # None: they must not have expired
    sqs = stack.client("sqs")
    for start in range(0, len(bodies), 6):
        entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(bodies[start : start + 6])]
        sqs.send_message_batch(QueueUrl=stack.dlq_url, Entries=entries)
    sqs.send_message(QueueUrl=stack.dlq_url, MessageBody=bodies[0])
    environ = {**os.environ, **stack.env, "XDG_STATE_HOME": str(tmp_path)}
    status = json.loads(_dlq(environ, "status", "-o", "json").stdout)
    assert status["moveTasks"] is None
    assert status["reasons"]["RetriesExhausted"]["messages"] >= 13
    done = _dlq(environ, "redrive", "--incident", INCIDENT, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Redriven 13 dead letters")
    stored = _wait_until_stored(stack, len(bodies))
    assert len(stored) == len(bodies)
    assert set(stored.values()) == {1}
    assert _dlq(environ, "peek", "--incident", INCIDENT).returncode == 1
