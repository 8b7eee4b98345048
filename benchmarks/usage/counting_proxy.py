"""A proxy that counts calls to SQS and DynamoDB, and asks DynamoDB for the capacity that each write consumed."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from infra.local.serving import serving

_HOP_BY_HOP: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_WRITE: Final = "BatchWriteItem"
_CHUNK: Final = 64 * 1024  # bytes of payload that SQS bills as one request (Amazon SQS pricing)


@dataclass
class Counts:
    """Calls and requests as SQS bills them, by operation, and the table's write units.

    dynalite reports only the table's own units; DynamoDB reports those of the indexes too.
    """

    url: str
    calls: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)
    table_units: int = 0

    def add(self, operation: str, request: bytes, response: bytes) -> None:
        """Count one call, given the JSON of its request and response."""
        self.calls[operation] += 1
        sent, received = json.loads(request), json.loads(response)
        bodies = [entry["MessageBody"] for entry in sent.get("Entries", []) if "MessageBody" in entry]
        bodies += [message["Body"] for message in received.get("Messages", [])]
        self.billed[operation] += max(1, math.ceil(sum(len(body.encode()) for body in bodies) / _CHUNK))
        for consumed in received.get("ConsumedCapacity", []):
            self.table_units += int(consumed["Table"]["CapacityUnits"])


@contextmanager
def counting(upstream: str) -> Iterator[Counts]:
    """Start a proxy on 127.0.0.1 in front of `upstream` and yield its counts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    counts = Counts(f"http://127.0.0.1:{server.server_port}")
    server.counts, server.upstream = counts, upstream  # type: ignore[attr-defined]  # for the handler
    with serving(server):
        yield counts


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        status, headers, response = self._forward(_with_consumed_capacity(operation, request))
        self.server.counts.add(operation, request, response)  # type: ignore[attr-defined]  # see `counting`
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        target = urlsplit(self.server.upstream)  # type: ignore[attr-defined]  # see `counting`
        connection = HTTPConnection(str(target.hostname), target.port, timeout=30)
        end_to_end = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            connection.request("POST", self.path, body, {**end_to_end, "Accept-Encoding": "identity"})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing."""


def _with_consumed_capacity(operation: str, request: bytes) -> bytes:
    """Have a write return its consumed capacity, for which the consumer itself does not ask."""
    if operation != _WRITE:
        return request
    return json.dumps({**json.loads(request), "ReturnConsumedCapacity": "INDEXES"}).encode()
