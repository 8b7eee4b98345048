"""A stub of AWS on 127.0.0.1 that answers every request with success after a fixed latency."""

import asyncio
import json
import sys
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from benchmarks.support import stub_process

LATENCY: Final = 0.005  # seconds before it answers
RECEIVED: Final = "/received"  # the path of a request for the bytes of all bodies so far
_BUFFER_BYTES: Final = 1024 * 1024
_JSON_RESPONSES: Final = {
    "AmazonSQS.SendMessage": {"MessageId": "0", "MD5OfMessageBody": "0"},
    "AmazonSQS.SendMessageBatch": {"Successful": [{"Id": str(index), "MessageId": "0"} for index in range(7)]},
    "DynamoDB_20120810.BatchWriteItem": {"UnprocessedItems": {}},
    "DynamoDB_20120810.PutItem": {},
    "DynamoDB_20120810.Query": {"Items": []},  # no incident is held or erased
}
_PUT_METRIC_DATA: Final = b'<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"/>'


def running_stub(latency: float = LATENCY) -> AbstractContextManager[str]:
    """Run the stub until the end of the block and yield its URL; `latency` is in seconds."""
    return stub_process.running("benchmarks.support.aws_stub", str(latency))


async def _serve(latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(partial(_Connection, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class _Connection(asyncio.BufferedProtocol):
    """Reads one request after another and discards the bodies, so that the stub takes little CPU from the subject."""

    received = 0  # bytes of all bodies

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._buffer = bytearray(_BUFFER_BYTES)
        self._head = b""
        self._missing = 0  # bytes of the body still to come
        self._target = ""
        self._path = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker: it is a stream's
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._missing:
            self._missing -= nbytes
        else:
            self._head += self._buffer[:nbytes]
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            headers = _headers(head)
            self._head = b""
            self._path = head.split(maxsplit=2)[1].decode("latin-1")
            length = int(headers.get("content-length", "0"))
            _Connection.received += length
            self._missing = length - len(rest)
            self._target = headers.get("x-amz-target", "")
            if headers.get("expect") == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._missing:
            asyncio.get_running_loop().call_later(self._latency, self._respond)

    def _respond(self) -> None:
        document = _JSON_RESPONSES.get(self._target)
        if self._path == RECEIVED:
            body = str(_Connection.received).encode()
        else:
            body = _PUT_METRIC_DATA if document is None else json.dumps(document).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
