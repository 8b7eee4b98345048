"""SnapStart, with the real runtime client and a stand-in for Lambda's APIs, which the emulator does not have.

The snapshot is a process that is stopped. When it goes on, as a sandbox that starts from the snapshot does, the
connection on which its extension waited is gone.
"""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Final

from infra.build.artifacts import LAYER
from infra.local.serving import serving
from tests.support.lambdas.emulator import runtime_client, unpack
from tests.support.servers.http_server import HttpConnection, HttpServer

EXECUTOR: Final = """
from datetime import UTC, datetime
from recommendation_producer import RecommendationProducer

clients = 0


class Queue:
    def __init__(self):
        global clients
        clients += 1
        self.number = clients

    def send_message_batch(self, *, QueueUrl, Entries):
        print(f"SENT {len(Entries)} by client {self.number}", flush=True)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


producer = RecommendationProducer.from_env(client_factory=Queue, drain="after_response")


def enqueue(execution):
    producer.enqueue(
        incident_id="incident-1",
        execution_id=execution,
        agent_type="consensus",
        timestamp=datetime.now(UTC),
        recommendation={"action": "roll back"},
    )


enqueue("initialisation")


@producer.lambda_handler
def handler(event, context):
    enqueue(context.aws_request_id)
    return event
"""
QUEUE_URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
PATIENCE: Final = 30.0  # seconds


class LambdaApis(HttpServer):
    """The Runtime API with SnapStart's two requests, and the Extensions API, for one sandbox."""

    def __init__(self) -> None:
        super().__init__(_Connection)
        self.initialised = threading.Event()  # the sandbox is ready for its snapshot
        self.restored = threading.Event()
        self.asked: queue.Queue[socket.socket] = queue.Queue()  # connections on which the extension waits
        self.for_runtime: queue.Queue[str] = queue.Queue()  # request IDs
        self.for_extension: queue.Queue[str] = queue.Queue()
        self.responses: queue.Queue[Any] = queue.Queue()

    def invoke(self, request_id: str) -> Any:
        """Invoke the function; return its response."""
        self.for_extension.put(request_id)
        self.for_runtime.put(request_id)
        return self.responses.get(timeout=PATIENCE)


class _Connection(HttpConnection):
    server: LambdaApis

    def do_GET(self) -> None:
        server = self.server
        if self.path.endswith("/runtime/restore/next"):
            server.initialised.set()
            server.restored.wait(PATIENCE)
            self.respond(200, b"")
        elif self.path.endswith("/runtime/invocation/next"):
            request_id = server.for_runtime.get()
            self.respond(200, b'{"of": "the event"}', self._headers(request_id))
        else:
            server.asked.put(self.connection)
            request_id = server.for_extension.get()
            event = {"eventType": "INVOKE", "requestId": request_id, "deadlineMs": self._deadline()}
            self.respond(200, json.dumps(event).encode())

    def do_POST(self) -> None:
        body = self.read_json()
        if self.path.endswith("/extension/register"):
            self.respond(200, b"{}", [("Lambda-Extension-Identifier", "extension-1")])
        else:
            self.server.responses.put(body)
            self.respond(202, b"")

    def _headers(self, request_id: str) -> list[tuple[str, str]]:
        return [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
            ("Lambda-Runtime-Aws-Request-Id", request_id),
            ("Lambda-Runtime-Deadline-Ms", str(self._deadline())),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:function"),
        ]

    @staticmethod
    def _deadline() -> int:
        return round((time.time() + PATIENCE) * 1000)


def test_sandbox_from_a_snapshot_drains_what_is_its_own_after_its_response(tmp_path: Path) -> None:
    """What the initialisation enqueued is sent and counted before the snapshot; the extension asks Lambda again."""
    opt = unpack(LAYER, tmp_path / "opt")
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "executor.py").write_text(EXECUTOR)
    command = runtime_client(tmp_path, tmp_path / "task", "executor.handler", opt)
    log, apis = tmp_path / "log", LambdaApis()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": apis.url.removeprefix("http://"),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "LAMBDA_TASK_ROOT": str(tmp_path / "task"),
        "RECOMMENDATIONS_QUEUE_URL": QUEUE_URL,
    }
    with serving(apis), log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            assert apis.initialised.wait(PATIENCE), log.read_text()
            snapshot = log.read_text()
            assert snapshot.count("SENT 1 by client 1") == snapshot.count('"RecommendationsEnqueued":1') == 1

            connection = apis.asked.get(timeout=PATIENCE)
            os.kill(process.pid, signal.SIGSTOP)
            connection.shutdown(socket.SHUT_RDWR)
            apis.for_extension.put("nobody hears this")  # ends the request on the connection that is gone
            os.kill(process.pid, signal.SIGCONT)
            apis.restored.set()

            apis.asked.get(timeout=PATIENCE)
            assert apis.invoke("request-1") == {"of": "the event"}
            apis.asked.get(timeout=PATIENCE)  # only after the drain
            restored = log.read_text().removeprefix(snapshot)
            assert restored.count("SENT") == restored.count("SENT 1 by client 2") == 1
            assert restored.count('"RecommendationsEnqueued":1') == 1
            assert "RecommendationDrainFallback" not in restored
            assert "the extension asks Lambda again: RemoteDisconnected" in restored
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
