"""SQS for the producer: SendMessageBatch on 127.0.0.1 that fails on demand and counts each fault."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from infra.local.serving import serving
from tests.support.servers.http_server import HttpConnection, HttpServer

HANG: Final = "hang"  # reads the request, and does not respond until `heal`
DRIP: Final = "drip"  # responds one byte at a time until `heal`
RESET: Final = "reset"  # resets the connection while the client waits
# HTTP status, error code, and who is at fault, as in SQS's JSON protocol.
ERRORS: Final = {
    "outage": (500, "InternalFailure", "Receiver"),
    "throttling": (400, "RequestThrottled", "Sender"),
    "denied": (403, "AccessDeniedException", "Sender"),
    "expired": (403, "ExpiredTokenException", "Sender"),
    "unknown": (403, "InvalidClientTokenId", "Sender"),
}


class SqsServer(HttpServer):
    """Responds to SendMessageBatch as `fault` says; without a fault, it accepts every message."""

    def __init__(self) -> None:
        super().__init__(_Connection)
        self.queue_url = f"{self.url}/123456789012/recommendations"
        self.fault: str | None = None
        self.trusted_key: str | None = None  # the only access key that `fault` does not affect
        self.faults: Counter[str] = Counter()
        self.arrived: list[str] = []  # bodies, including repetitions
        self.system_attributes: list[dict[str, Any]] = []  # of each body
        self.batches: list[int] = []  # entries in each accepted request
        self.asked = threading.Event()  # a request has arrived
        self.answered = threading.Event()  # a request has been accepted
        self.may_answer = threading.Event()

    def heal(self) -> None:
        """Accept everything from now on, including the requests that hang."""
        self.fault = None
        self.may_answer.set()

    let_go = heal

    def arrived_numbers(self) -> list[int]:
        """Return the numbers of the recommendations that arrived, including repetitions."""
        return [json.loads(body)["recommendation"]["number"] for body in self.arrived]


class _Connection(HttpConnection):
    server: SqsServer

    def do_POST(self) -> None:
        entries = self.read_json()["Entries"]
        server, fault = self.server, self.server.fault
        if fault and server.trusted_key and self.is_signed_with(server.trusted_key):
            fault = None
        server.asked.set()
        if fault is None:
            self._accept(entries)
            return
        server.faults[fault] += 1
        if fault == HANG:
            server.may_answer.wait()
            self._accept(entries)
        elif fault == DRIP:
            self.drip(lambda: not server.may_answer.is_set())
        elif fault == RESET:
            self.reset()
        else:
            status, code, at_fault = ERRORS[fault]
            self._respond(status, {"__type": f"com.amazonaws.sqs#{code}"}, ("x-amzn-query-error", f"{code};{at_fault}"))

    def _accept(self, entries: list[dict[str, Any]]) -> None:
        self.server.arrived += [entry["MessageBody"] for entry in entries]
        self.server.system_attributes += [entry.get("MessageSystemAttributes", {}) for entry in entries]
        self.server.batches.append(len(entries))
        self._respond(200, {"Successful": [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in entries]})
        self.server.answered.set()

    def _respond(self, status: int, document: dict[str, Any], *headers: tuple[str, str]) -> None:
        content_type = ("Content-Type", "application/x-amz-json-1.0")
        self.respond(status, json.dumps(document).encode(), (*headers, content_type))


@contextlib.contextmanager
def sqs_server() -> Iterator[SqsServer]:
    """Run a server until the end of the block."""
    server = SqsServer()
    with serving(server):
        yield server
