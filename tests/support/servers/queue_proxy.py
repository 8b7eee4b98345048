"""A proxy before an SQS server that holds a chosen call, before or after the server has acted on it."""

import contextlib
import http.client
import json
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

from infra.local import ports
from infra.local.serving import serving

Moment = Literal["before", "after"]


class QueueProxy(ThreadingHTTPServer):
    """Forwards every call to `backend`, except those about move tasks, which it does not know (as MiniStack).

    `hold(action, moment)` lets the next such call hang until `let_go`: `before` the server has seen it, or `after` it
    has acted on it and before the caller has the answer. `reached` is set when that has happened.
    """

    daemon_threads = True

    def __init__(self, backend: str) -> None:
        super().__init__((ports.HOST, 0), _Connection)
        address = urlsplit(backend)
        self.backend = (str(address.hostname), int(address.port or 80))
        self.url = f"http://{ports.HOST}:{self.server_port}"
        self.reached = threading.Event()
        self._go = threading.Event()
        self._held: tuple[str, Moment] | None = None
        self._lock = threading.Lock()

    def hold(self, action: str, moment: Moment) -> None:
        """Hold the next call of that name."""
        self.reached.clear()
        self._go.clear()
        self._held = (action, moment)

    def let_go(self) -> None:
        """Let the call that hangs go on."""
        self._go.set()

    def wait_at(self, action: str, moment: Moment) -> None:
        """Hang when this call is the one to hold, which it is only once."""
        with self._lock:
            if self._held != (action, moment):
                return
            self._held = None
        self.reached.set()
        self._go.wait()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: callers that are killed in the middle are what this is for."""


class _Connection(BaseHTTPRequestHandler):
    server: QueueProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.wait_at(action, "before")
        if _is_gone(self.connection):
            return
        if "MessageMoveTask" in action:
            self._answer(400, json.dumps({"__type": "com.amazonaws.sqs#InvalidAction", "message": action}).encode())
            return
        with contextlib.closing(http.client.HTTPConnection(*self.server.backend)) as backend:
            backend.request("POST", "/", body, {name: value for name, value in self.headers.items() if name != "Host"})
            answer = backend.getresponse()
            content = answer.read()
        self.server.wait_at(action, "after")
        self._answer(answer.status, content, answer.getheader("x-amzn-query-error"))

    def _answer(self, status: int, content: bytes, query_error: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        if query_error is not None:
            self.send_header("x-amzn-query-error", query_error)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""


def _is_gone(connection: socket.socket) -> bool:
    """Tell whether the caller has closed the connection, as a killed one has: then its call was never made."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


@contextlib.contextmanager
def queue_proxy(backend: str) -> Iterator[QueueProxy]:
    """Run a proxy until the end of the block."""
    proxy = QueueProxy(backend)
    with serving(proxy):
        try:
            yield proxy
        finally:
            proxy.let_go()


def create_queues(sqs: Any, name: str) -> tuple[str, str]:
    """Create a queue and its dead-letter queue, as the template relates them; return their URLs in this order."""
    dlq_url = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
    queue_url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return queue_url, dlq_url
