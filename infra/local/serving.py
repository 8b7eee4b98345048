"""Run a standard-library server on its own thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import Final

_POLL: Final = 0.01  # seconds between checks whether to stop


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Serve until the end of the block, then stop accepting connections and close."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
