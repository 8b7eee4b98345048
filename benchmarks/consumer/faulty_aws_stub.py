"""A stub of DynamoDB and SQS on 127.0.0.1 that fails in a fixed order, run by `benchmarks.consumer.soak`."""

import asyncio
import json
from itertools import count
from typing import Any, Final

_TABLE: Final = "DynamoDB_20120810."
_requests = count(1)

# One in that many requests to the table fails in this way; primes, so that two seldom coincide.
_THROTTLED, _UNPROCESSED, _DENIED, _SERVER_ERROR, _BROKEN = 101, 103, 29, 107, 109


async def serve() -> None:
    """Print the port, then answer requests until the process is terminated."""
    server = await asyncio.start_server(_respond_to_all, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _respond_to_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
            request = json.loads(await reader.readexactly(int(headers["content-length"])))
            response = _table(request) if headers["x-amz-target"].startswith(_TABLE) else (200, _queue(request))
            if response is None:
                break
            status, document = response
            body = json.dumps(document).encode()
            writer.write(b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client closed the connection
    finally:
        writer.close()


def _table(request: dict[str, Any]) -> tuple[int, Any] | None:
    """Return status and document, or None to close the connection without a response."""
    if "KeyConditionExpression" in request:
        return 200, {"Items": []}  # no incident is held or erased
    number = next(_requests)
    if number % _THROTTLED == 0:
        return 400, {"__type": "ThrottlingException"}
    if number % _DENIED == 0:
        return 400, {"__type": "AccessDeniedException"}
    if number % _SERVER_ERROR == 0:
        return 500, {"__type": "InternalServerError"}
    if number % _BROKEN == 0:
        return None
    if "Item" in request:
        return 200, {"ConsumedCapacity": {"CapacityUnits": 1.0}}
    if number % _UNPROCESSED == 0:
        return 200, {"UnprocessedItems": {table: puts[:1] for table, puts in request["RequestItems"].items()}}
    return 200, {"UnprocessedItems": {}}


def _queue(request: dict[str, Any]) -> dict[str, Any]:
    return {"Successful": [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in request["Entries"]]}


if __name__ == "__main__":
    asyncio.run(serve())
