"""The base of the test servers: HTTP on 127.0.0.1 that can break its connections and leaves none open."""

import contextlib
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from infra.local.ports import HOST

_DRIP_INTERVAL: Final = 0.05  # seconds

Headers = Iterable[tuple[str, str]]


class HttpServer(ThreadingHTTPServer):
    """Listens on any free port; `url` is its address."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, connection: type["HttpConnection"]) -> None:
        super().__init__((HOST, 0), connection)
        self.url = f"http://{HOST}:{self.server_port}"
        self.connections: set[socket.socket] = set()

    def close_connections(self) -> int:
        """Close all open connections, as servers do with long idle ones; return how many there were."""
        closed = 0
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
                closed += 1
        return closed

    def let_go(self) -> None:
        """Release the requests that hang, if any."""

    def server_close(self) -> None:
        """Stop listening, release the requests that hang, and close all connections."""
        self.let_go()
        self.close_connections()
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: some tests are about clients that disconnect or are killed."""


class HttpConnection(BaseHTTPRequestHandler):
    """A connection of an `HttpServer`, with the ways in which the servers respond or fail to."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise a response in two writes takes 40 ms
    server: HttpServer

    def setup(self) -> None:
        """Register the connection as open."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Register it as closed."""
        self.server.connections.discard(self.connection)
        super().finish()

    def read_body(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def read_json(self) -> Any:
        """Return the body of the request as a JSON value."""
        return json.loads(self.read_body())

    def is_signed_with(self, access_key: str) -> bool:
        """Return whether the request is signed with this access key."""
        return f"Credential={access_key}/" in self.headers["Authorization"]

    def respond(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Send a complete response."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, is_dripping: Callable[[], bool]) -> None:
        """Send a response of a million bytes, one byte every 50 ms, as long as `is_dripping`; then disconnect."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while is_dripping():
            self.wfile.write(b" ")
            time.sleep(_DRIP_INTERVAL)
        self.close_connection = True

    def reset(self) -> None:
        """Reset the connection (RST) instead of closing it."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""
