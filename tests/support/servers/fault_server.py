"""A server on 127.0.0.1 that speaks just enough SQS, and misbehaves when told to; every fault is counted."""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from infra.local.serving import serving
from tests.support.servers.tracked_server import TrackedConnection, TrackedServer

HANG: Final = "hang"  # takes the request and does not answer before `heal`
DRIP: Final = "drip"  # answers one byte at a time, for ever
RESET: Final = "reset"  # breaks the connection while the client waits
_DRIP_INTERVAL: Final = 0.05  # seconds
# Status, code and whose fault, as the JSON protocol of SQS has them.
ERRORS: Final = {
    "outage": (500, "InternalFailure", "Receiver"),
    "throttling": (400, "RequestThrottled", "Sender"),
    "denied": (403, "AccessDeniedException", "Sender"),
    "expired": (403, "ExpiredTokenException", "Sender"),
    "unknown": (403, "InvalidClientTokenId", "Sender"),
}


class FaultServer(TrackedServer):
    """Answers SendMessageBatch as `fault` says; without one, it takes every message."""

    def __init__(self) -> None:
        super().__init__(_Connection)
        self.queue_url = f"{self.url}/123456789012/recommendations"
        self.fault: str | None = None
        self.trusted_key: str | None = None  # the only access key that is not answered with `fault`
        self.faults: Counter[str] = Counter()
        self.arrived: list[str] = []  # bodies, repetitions included
        self.batches: list[int] = []  # entries of each request that was taken
        self.asked = threading.Event()  # a request is in
        self.answered = threading.Event()
        self.may_answer = threading.Event()

    def heal(self) -> None:
        """Answer well from now on, the requests that hang included."""
        self.fault = None
        self.may_answer.set()

    let_go = heal

    def arrived_numbers(self) -> list[int]:
        """Return the numbers of the recommendations that arrived, repetitions included."""
        return [json.loads(body)["recommendation"]["number"] for body in self.arrived]


class _Connection(TrackedConnection):
    server: FaultServer

    def do_POST(self) -> None:  # noqa: N802 - as http.server calls it
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server, fault = self.server, self.server.fault
        if fault and server.trusted_key and f"Credential={server.trusted_key}/" in self.headers["Authorization"]:
            fault = None
        server.asked.set()
        if fault is None:
            self._take(request["Entries"])
            return
        server.faults[fault] += 1
        if fault == HANG:
            server.may_answer.wait()
            self._take(request["Entries"])
        elif fault == DRIP:
            self._drip()
        elif fault == RESET:
            self.reset()
        else:
            status, code, whose = ERRORS[fault]
            self._answer(status, {"__type": f"com.amazonaws.sqs#{code}"}, ("x-amzn-query-error", f"{code};{whose}"))

    def _take(self, entries: list[dict[str, str]]) -> None:
        self.server.arrived += [entry["MessageBody"] for entry in entries]
        self.server.batches.append(len(entries))
        self._answer(200, {"Successful": [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in entries]})
        self.server.answered.set()

    def _answer(self, status: int, document: dict[str, Any], *headers: tuple[str, str]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/x-amz-json-1.0")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while self.server.fault == DRIP:
            self.wfile.write(b" ")
            time.sleep(_DRIP_INTERVAL)
        self.close_connection = True


@contextlib.contextmanager
def fault_server() -> Iterator[FaultServer]:
    """Run a server until the end of the block."""
    server = FaultServer()
    with serving(server):
        yield server
