"""An HTTP server that answers a few AWS calls and records every request."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local import ports


class RecordingServer(ThreadingHTTPServer):
    """Answers POST by `answers`, from the value of X-Amz-Target to a document, and anything else with `{}`."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__((ports.HOST, 0), _Connection)
        self.url = f"http://{ports.HOST}:{self.server_port}"
        self.answers = answers
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.recording = threading.Lock()


class _Connection(BaseHTTPRequestHandler):
    server: RecordingServer

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.answers.get(self.headers["X-Amz-Target"], {}))

    do_CONNECT = do_GET  # noqa: N815 - http.server's name

    def _answer(self, document: Mapping[str, Any]) -> None:
        with self.server.recording:
            self.server.requests.append((f"{self.command} {self.path}", dict(self.headers)))
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the output clean."""
