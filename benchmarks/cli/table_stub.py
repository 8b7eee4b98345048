"""A stub of DynamoDB on 127.0.0.1, in its own process: one large incident, or many incidents of the last days."""

import sys
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import orjson

from benchmarks.cli.generated_items import one_incident, recent_incidents
from benchmarks.cli.table import Table
from benchmarks.support import stub_process

_ONE: Final = "one incident"
_RECENT: Final = "recent incidents"


def running_incident(executions: int) -> AbstractContextManager[str]:
    """Run the stub with one incident until the end of the block, and yield its URL."""
    return stub_process.running("benchmarks.cli.table_stub", _ONE, str(executions), "0")


def running_recent(executions: int, delay: float) -> AbstractContextManager[str]:
    """Run the stub with `recent_incidents` until the end of the block, and yield its URL.

    It answers each request after `delay` seconds.
    """
    return stub_process.running("benchmarks.cli.table_stub", _RECENT, str(executions), str(delay))


def _handler(table: Table, delay: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else the body waits 40 ms for the headers to be acknowledged

        def do_POST(self) -> None:
            due = time.monotonic() + delay
            request = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_get = self.headers["X-Amz-Target"].endswith(".GetItem")
            answer = orjson.dumps(table.get_item(request) if is_get else table.query(request))
            time.sleep(max(0.0, due - time.monotonic()))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Print nothing: the port is the only line."""

    return Handler


def _serve(kind: str, executions: int, delay: float) -> None:
    items = one_incident(executions) if kind == _ONE else recent_incidents(executions, datetime.now(UTC))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(Table(items), delay))
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
