"""A proxy in front of an SQS server that holds a chosen call before or after the server has acted on it."""

import contextlib
import http.client
import json
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from infra.local.serving import serving
from tests.support.servers.http_server import HttpConnection, HttpServer

Moment = Literal["before", "after"]


class QueueProxy(HttpServer):
    """Forwards every call to `backend`, except those about move tasks, which it does not support (like MiniStack).

    `hold(action, moment)` makes the next such call hang until `let_go`: `before` the server has seen it, or `after` it
    has acted and before the caller gets the response. `reached` is set once the call hangs.
    """

    def __init__(self, backend: str) -> None:
        super().__init__(_Connection)
        address = urlsplit(backend)
        self.backend = (str(address.hostname), int(address.port or 80))
        self.reached = threading.Event()
        self._go = threading.Event()
        self._held: tuple[str, Moment] | None = None
        self._lock = threading.Lock()

    def hold(self, action: str, moment: Moment) -> None:
        """Hold the next call of this action."""
        self.reached.clear()
        self._go.clear()
        self._held = (action, moment)

    def let_go(self) -> None:
        """Let the held call continue."""
        self._go.set()

    def wait_at(self, action: str, moment: Moment) -> None:
        """Hang if this call is the one to hold; only the first one is."""
        with self._lock:
            if self._held != (action, moment):
                return
            self._held = None
        self.reached.set()
        self._go.wait()


class _Connection(HttpConnection):
    server: QueueProxy

    def do_POST(self) -> None:
        body = self.read_body()
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.wait_at(action, "before")
        if _is_gone(self.connection):
            self.close_connection = True
            return
        if "MessageMoveTask" in action:
            self._respond(400, json.dumps({"__type": "com.amazonaws.sqs#InvalidAction", "message": action}).encode())
            return
        with contextlib.closing(http.client.HTTPConnection(*self.server.backend)) as backend:
            backend.request("POST", "/", body, {name: value for name, value in self.headers.items() if name != "Host"})
            response = backend.getresponse()
            content = response.read()
        self.server.wait_at(action, "after")
        self._respond(response.status, content, response.getheader("x-amzn-query-error"))

    def _respond(self, status: int, content: bytes, query_error: str | None = None) -> None:
        error = [] if query_error is None else [("x-amzn-query-error", query_error)]
        self.respond(status, content, [("Content-Type", "application/x-amz-json-1.0"), *error])


def _is_gone(connection: socket.socket) -> bool:
    """Return whether the caller has closed the connection: a killed one has, and then its call was never made."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


@contextlib.contextmanager
def queue_proxy(backend: str) -> Iterator[QueueProxy]:
    """Run a proxy until the end of the block."""
    proxy = QueueProxy(backend)
    with serving(proxy):
        yield proxy


def create_queues(sqs: Any, name: str) -> tuple[str, str]:
    """Create a queue and its dead-letter queue, related as in the template; return their URLs in this order."""
    dlq_url = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
    queue_url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return queue_url, dlq_url
