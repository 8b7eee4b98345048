"""moto in server mode on 127.0.0.1: a lenient AWS for happy paths."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.local import ports


@contextmanager
def running_moto() -> Iterator[str]:
    """Run moto until the end of the block and yield its endpoint URL."""
    from moto.moto_server.threaded_moto_server import (  # noqa: PLC0415 - takes a second to import
        ThreadedMotoServer,
    )

    server = ThreadedMotoServer(ip_address=ports.HOST, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
