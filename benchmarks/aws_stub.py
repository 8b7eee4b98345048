"""An AWS that says yes, on 127.0.0.1 and in a process of its own: `python -m benchmarks.aws_stub SECONDS`."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

LATENCY: Final = 0.005  # seconds until it answers
_JSON_ANSWERS: Final = {
    "AmazonSQS.SendMessage": {"MessageId": "0", "MD5OfMessageBody": "0"},
    "DynamoDB_20120810.BatchWriteItem": {"UnprocessedItems": {}},
    "DynamoDB_20120810.PutItem": {},
}
_PUT_METRIC_DATA: Final = b'<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"/>'


@contextmanager
def running_stub(latency: float = LATENCY) -> Iterator[str]:
    """Start the stub and yield its URL; `latency` is in seconds."""
    command = [sys.executable, "-m", "benchmarks.aws_stub", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this module
        try:
            yield f"http://127.0.0.1:{_first_line(process)}"
        finally:
            process.terminate()


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
    return process.stdout.readline().strip()


async def _serve(latency: float) -> None:
    server = await asyncio.start_server(partial(_answer_all, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _answer_all(latency: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            headers = _headers(await reader.readuntil(b"\r\n\r\n"))
            if headers.get("expect") == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await reader.readexactly(int(headers.get("content-length", "0")))
            await asyncio.sleep(latency)
            answer = _JSON_ANSWERS.get(headers.get("x-amz-target", ""))
            body = _PUT_METRIC_DATA if answer is None else json.dumps(answer).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()  # the client has gone


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
