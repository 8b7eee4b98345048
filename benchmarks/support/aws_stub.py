"""An AWS that says yes, on 127.0.0.1 and in a process of its own: `python -m benchmarks.support.aws_stub SECONDS`."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

LATENCY: Final = 0.005  # seconds until it answers
_BUFFER_BYTES: Final = 1024 * 1024
_JSON_ANSWERS: Final = {
    "AmazonSQS.SendMessage": {"MessageId": "0", "MD5OfMessageBody": "0"},
    "DynamoDB_20120810.BatchWriteItem": {"UnprocessedItems": {}},
    "DynamoDB_20120810.PutItem": {},
}
_PUT_METRIC_DATA: Final = b'<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"/>'


@contextmanager
def running_stub(latency: float = LATENCY) -> Iterator[str]:
    """Start the stub and yield its URL; `latency` is in seconds."""
    command = [sys.executable, "-m", "benchmarks.support.aws_stub", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this module
        try:
            yield f"http://127.0.0.1:{_first_line(process)}"
        finally:
            process.terminate()


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
    return process.stdout.readline().strip()


async def _serve(latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(partial(_Connection, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class _Connection(asyncio.BufferedProtocol):
    """Reads requests, one after the other, without keeping a body: what this process does, the measured one feels."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._buffer = bytearray(_BUFFER_BYTES)
        self._head = b""
        self._left = 0  # bytes of the body that are still to come
        self._target = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker: it is a stream's
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - as asyncio calls it
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._left:
            self._left -= nbytes
        else:
            self._head += self._buffer[:nbytes]
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            headers = _headers(head)
            self._head = b""
            self._left = int(headers.get("content-length", "0")) - len(rest)
            self._target = headers.get("x-amz-target", "")
            if headers.get("expect") == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._left:
            asyncio.get_running_loop().call_later(self._latency, self._answer)

    def _answer(self) -> None:
        answer = _JSON_ANSWERS.get(self._target)
        body = _PUT_METRIC_DATA if answer is None else json.dumps(answer).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
