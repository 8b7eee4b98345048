"""A server on 127.0.0.1 that knows its open connections, so that a test can break them and none outlives it."""

import contextlib
import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class TrackedServer(ThreadingHTTPServer):
    """Takes any free port; `url` is its address."""

    daemon_threads = True

    def __init__(self, connection: type["TrackedConnection"]) -> None:
        super().__init__(("127.0.0.1", 0), connection)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.connections: set[socket.socket] = set()

    def close_connections(self) -> int:
        """Close what is open, as servers do with connections that are idle for long; return how many these were."""
        closed = 0
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
                closed += 1
        return closed

    def let_go(self) -> None:
        """End the wait of requests that hang, where there are any."""

    def server_close(self) -> None:
        """Stop listening, let go of the requests that hang, and close what is open."""
        self.let_go()
        self.close_connections()
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that went away is what some tests are about."""


class TrackedConnection(BaseHTTPRequestHandler):
    """One connection of a `TrackedServer`."""

    protocol_version = "HTTP/1.1"
    server: TrackedServer

    def setup(self) -> None:
        """Count the connection as open."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Count it as open no longer."""
        self.server.connections.discard(self.connection)
        super().finish()

    def reset(self) -> None:
        """Break the connection (RST) instead of ending it."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""
