"""`recs dlq redrive` killed with SIGKILL at every step: nothing is lost, and the next run finishes it."""

import os
import signal
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
from moto.sqs.models import sqs_backends

from tests.dead_letter_queue import body
from tests.queue_proxy import Moment, QueueProxy, create_queues, queue_proxy

LETTERS: Final = 12  # two requests: the first one is where the process is killed
HOLD: Final = 1  # seconds until what a killed process has received can be received again
BODIES: Final = [body(number) for number in range(LETTERS)]


@dataclass
class Redriven:
    """Two queues, a proxy before them, and `recs` started over and over with the same journal."""

    sqs: Any
    proxy: QueueProxy
    queue_url: str
    dlq_url: str
    environ: dict[str, str]

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start a redrive."""
        command = [sys.executable, "-m", "cli", "dlq", "redrive", "--yes", "--hold", str(HOLD), *args]
        return subprocess.Popen(  # noqa: S603 - our own CLI
            command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def finish(self, *args: str) -> tuple[int, str]:
        """Run a redrive to its end; return its exit code and what it printed."""
        process = self.start(*args)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout + stderr

    def kill_at(self, action: str, moment: Moment) -> None:
        """Run a redrive that dies when it makes that call."""
        self.proxy.hold(action, moment)
        process = self.start()
        try:
            assert self.proxy.reached.wait(30), process.communicate(timeout=5)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    def bodies(self, url: str) -> Counter[str]:
        """Return what a queue holds, what is hidden included: out of moto itself, since a receive would hide some."""
        queues = sqs_backends["123456789012"]["us-east-1"].queues
        return Counter(message.body for message in queues[url.rpartition("/")[2]]._messages)


@pytest.fixture
def redriven(moto_server: str, tmp_path: Path) -> Iterator[Redriven]:
    """Twelve dead letters, nothing else."""
    sqs = boto3.client("sqs", endpoint_url=moto_server)
    name = tmp_path.name.replace("_", "-")[:60]
    queue_url, dlq_url = create_queues(sqs, name)
    for start in range(0, LETTERS, 10):
        entries = [{"Id": str(n), "MessageBody": text} for n, text in enumerate(BODIES[start : start + 10])]
        sqs.send_message_batch(QueueUrl=dlq_url, Entries=entries)
    with queue_proxy(moto_server) as proxy:
        environ = {
            **os.environ,
            "AWS_ENDPOINT_URL": proxy.url,
            "RECOMMENDATIONS_QUEUE_URL": queue_url,
            "RECOMMENDATIONS_DLQ_URL": dlq_url,
            "XDG_STATE_HOME": str(tmp_path),
        }
        yield Redriven(sqs, proxy, queue_url, dlq_url, environ)
    sqs.delete_queue(QueueUrl=queue_url)
    sqs.delete_queue(QueueUrl=dlq_url)
    sqs.close()


@pytest.mark.parametrize(
    ("action", "moment", "twice"),
    [
        ("ReceiveMessage", "before", 0),
        ("ReceiveMessage", "after", 0),
        ("SendMessageBatch", "before", 0),
        ("SendMessageBatch", "after", 10),  # nobody can know that they were sent: idempotent stores absorb them
        ("DeleteMessageBatch", "before", 0),
        ("DeleteMessageBatch", "after", 0),
    ],
)
def test_a_kill_at_any_call_loses_nothing_and_the_next_run_finishes(
    redriven: Redriven, action: str, moment: Moment, twice: int
) -> None:
    """Also sent twice are only those whose answer the killed process never saw."""
    redriven.kill_at(action, moment)
    in_either = redriven.bodies(redriven.queue_url) + redriven.bodies(redriven.dlq_url)
    assert set(in_either) == set(BODIES), "a dead letter is in neither queue"
    time.sleep(HOLD)
    code, printed = redriven.finish()
    assert code == 0, printed
    assert redriven.bodies(redriven.dlq_url) == Counter()
    arrived = redriven.bodies(redriven.queue_url)
    assert set(arrived) == set(BODIES)
    assert sum(count - 1 for count in arrived.values()) == twice
    assert ("perhaps sent by an interrupted run too" in printed) == (action == "SendMessageBatch")
    assert ("sent by an earlier run: deleted, not sent again" in printed) == (
        (action, moment) == ("DeleteMessageBatch", "before")
    )


def test_a_run_before_the_hold_has_passed_says_that_something_is_hidden(redriven: Redriven) -> None:
    """Instead of calling it done."""
    redriven.proxy.hold("DeleteMessageBatch", "before")
    process = redriven.start("--hold", "600")
    assert redriven.proxy.reached.wait(30)
    process.kill()
    process.communicate()
    code, printed = redriven.finish()
    assert code == 5
    assert "10 dead letters sent by an earlier run may still be hidden by it" in printed


def test_ctrl_c_finishes_the_batch_and_gives_back_the_rest(redriven: Redriven) -> None:
    """In a real process; the run after it needs no waiting."""
    redriven.proxy.hold("SendMessageBatch", "before")
    process = redriven.start("--hold", "600")
    assert redriven.proxy.reached.wait(30)
    process.send_signal(signal.SIGINT)
    redriven.proxy.let_go()
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout.startswith("Redriven 10 dead letters")
    assert stderr.startswith("Interrupted.")
    code, printed = redriven.finish()
    assert code == 0
    assert printed.startswith("Redriven 2 dead letters")
    assert redriven.bodies(redriven.queue_url) == Counter(BODIES)


def test_two_redrives_do_not_share_a_journal(redriven: Redriven) -> None:
    """The second one says so and does nothing."""
    redriven.proxy.hold("SendMessageBatch", "before")
    process = redriven.start()
    assert redriven.proxy.reached.wait(30)
    try:
        code, printed = redriven.finish()
        assert code == 2
        assert "Another redrive is writing the journal" in printed
    finally:
        process.kill()
        process.communicate()
