"""A proxy in front of the local table that throttles writes as DynamoDB does, which the emulator never does."""

import contextlib
import http.client
import json
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from infra.local import LocalStack, ports
from infra.local.serving import serving

ENDPOINT: Final = "AWS_ENDPOINT_URL_DYNAMODB"  # the consumer's variable that points it to the proxy
_THROTTLED: Final = {
    "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "message": "The level of configured provisioned throughput for one or more global secondary indexes was exceeded.",
}


class RefusingTable(ThreadingHTTPServer):
    """Refuses the next `left` requests and forwards all others to `backend`."""

    daemon_threads = True

    def __init__(self, backend: str) -> None:
        super().__init__((ports.HOST, 0), _Connection)
        address = urlsplit(backend)
        self.backend = (str(address.hostname), int(address.port or 80))
        self.url = f"http://{ports.HOST}:{self.server_port}"
        self.left = 0
        self._counting = threading.Lock()

    def refuses(self) -> bool:
        """Return whether to refuse this request, and count it."""
        with self._counting:
            refused = self.left > 0
            self.left -= refused
            return refused

    def refuse_another(self) -> None:
        """Refuse one request more, in place of one whose client did not read the refusal."""
        with self._counting:
            self.left += 1


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RefusingTable

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._client_has_left():
            # On a busy machine, the consumer's read may time out before this thread runs. A refusal that it does not
            # read would be missing from its metrics, and an alarm with a threshold would not fire.
            self.close_connection = True
            return
        if self.server.refuses():
            if not self._is_read(json.dumps(_THROTTLED).encode()):  # the client left while this thread waited
                self.close_connection = True
                self.server.refuse_another()
            return
        with contextlib.closing(http.client.HTTPConnection(*self.server.backend)) as backend:
            backend.request("POST", "/", body, dict(self.headers))  # with its Host header, which is signed
            answer = backend.getresponse()
            self._answer(answer.status, answer.read())

    def _client_has_left(self) -> bool:
        """Return whether the client has closed the connection. It sends nothing else before it has an answer."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def _is_read(self, refusal: bytes) -> bool:
        """Refuse the request; return whether the client is still there. It may send its next request meanwhile."""
        try:
            self._answer(http.HTTPStatus.BAD_REQUEST, refusal)
            return not (self._client_has_left() and self.connection.recv(1, socket.MSG_PEEK) == b"")
        except ConnectionError:
            return False

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep the output clean."""


@contextlib.contextmanager
def refusing_table(backend: str) -> Iterator[RefusingTable]:
    """Run a proxy until the end of the block."""
    proxy = RefusingTable(backend)
    with serving(proxy):
        yield proxy


def publish_consumer(stack: LocalStack, **variables: str | None) -> str:
    """Publish a version of the consumer with changed environment variables (None removes one); return its number.

    The alias that the queue invokes then points to it.
    """
    functions, name = stack.client("lambda"), stack.outputs["ConsumerFunctionName"]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"] | variables
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {key: value for key, value in environment.items() if value}}
    )
    version: str = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    return version
