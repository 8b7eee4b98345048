"""`recs dlq` as a process that is killed at a chosen call to a real server with two queues."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from moto.sqs.models import sqs_backends

from recommendation_cli.dead_letters.letter import DeadLetter
from tests.support.fakes.dead_letter_queue import body
from tests.support.servers.queue_proxy import Moment, QueueProxy, create_queues, queue_proxy

LETTERS: Final = 12  # two batches: the process is killed during the first
HOLD: Final = 1  # seconds until the messages of a killed process are visible again
BODIES: Final = [body(number) for number in range(LETTERS)]


@dataclass
class Queues:
    """Two queues behind a proxy, and the environment in which `recs dlq` runs again and again."""

    proxy: QueueProxy
    queue_url: str
    dlq_url: str
    environ: dict[str, str]

    def start(self, *args: str | Path) -> subprocess.Popen[str]:
        """Start a command of `recs dlq`."""
        command = [sys.executable, "-m", "recommendation_cli", "dlq", *map(str, args)]
        return subprocess.Popen(command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, *args: str | Path) -> tuple[int, str]:
        """Run a command to its end; return its exit code and its output."""
        process = self.start(*args)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout + stderr

    def kill_at(self, action: str, moment: Moment, *args: str | Path) -> None:
        """Run a command and kill it before or after it makes that call."""
        self.proxy.hold(action, moment)
        process = self.start(*args)
        try:
            assert self.proxy.reached.wait(30), process.communicate(timeout=5)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    def letters(self, url: str) -> list[DeadLetter]:
        """Return all messages of a queue, including hidden ones, from moto's own memory: a receive would hide some."""
        queues = sqs_backends["123456789012"]["us-east-1"].queues
        return [
            DeadLetter(message.id, "", message.body, {}, {}) for message in queues[url.rpartition("/")[2]]._messages
        ]

    def bodies(self, url: str) -> Counter[str]:
        """Return the bodies of all messages of a queue, including hidden ones."""
        return Counter(letter.body for letter in self.letters(url))


@contextmanager
def queues_with_letters(moto_server: str, folder: Path) -> Iterator[Queues]:
    """Create a queue and a dead-letter queue with twelve dead letters; `folder` is the state folder."""
    sqs: Any = boto3.client("sqs", endpoint_url=moto_server)
    queue_url, dlq_url = create_queues(sqs, folder.name.replace("_", "-")[:60])
    for start in range(0, LETTERS, 10):
        entries = [{"Id": str(n), "MessageBody": text} for n, text in enumerate(BODIES[start : start + 10])]
        sqs.send_message_batch(QueueUrl=dlq_url, Entries=entries)
    with queue_proxy(moto_server) as proxy:
        environ = {
            **os.environ,
            "AWS_ENDPOINT_URL": proxy.url,
            "RECOMMENDATIONS_QUEUE_URL": queue_url,
            "RECOMMENDATIONS_DLQ_URL": dlq_url,
            "XDG_STATE_HOME": str(folder),
        }
        yield Queues(proxy, queue_url, dlq_url, environ)
    sqs.delete_queue(QueueUrl=queue_url)
    sqs.delete_queue(QueueUrl=dlq_url)
    sqs.close()
