"""Requests as an endpoint receives them: the ready-made body, a valid signature, and connections that are kept."""

import asyncio
import hashlib
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError

from recommendation_consumer.clients import Clients
from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.backoff import full_jitter
from recommendation_shared.settings import Settings
from tests.support.lambdas.event import Context, bodies, event, named
from tests.support.lambdas.invoke import invoke

BODY = '{"RequestItems":{"recommendations":[{"PutRequest":{"Item":{"note":{"S":"schön"}}}}]}}'.encode()


class Endpoint:
    """An AWS endpoint on 127.0.0.1 that records the requests and the connections that they come from."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.BaseRequest, bytes]] = []
        self.peers: set[Any] = set()
        self.responses: list[web.Response] = []
        self.drop_next = False
        self.reset_reused = False
        self.slow_start = 0.0  # seconds
        self.slow: Callable[[web.BaseRequest, bytes], bool] = lambda _request, _body: False

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Respond with the next of `responses`, or with an empty success."""
        self.requests.append((request, await request.content.read()))
        assert request.transport is not None
        peer = request.transport.get_extra_info("peername")
        if self.reset_reused and peer in self.peers:
            # With this option, closing sends a reset.
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
        self.peers.add(peer)
        await asyncio.sleep(self.slow_start)
        if self.drop_next:
            self.drop_next = False
            request.transport.abort()
        if self.slow(request, self.requests[-1][1]):
            return await _crawl(request)
        return self.responses.pop(0) if self.responses else web.json_response({"UnprocessedItems": {}})


async def _crawl(request: web.BaseRequest) -> web.StreamResponse:
    """Send a byte every 50 ms, which never triggers a read timeout."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Endpoint]:
    """Start the endpoint and point the clients at it."""
    endpoint = Endpoint()
    server = web.Server(endpoint.respond)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    yield endpoint
    await runner.cleanup()


@pytest.fixture
async def clients(endpoint: Endpoint) -> AsyncIterator[Clients]:  # noqa: ARG001 - the clients' endpoint must be set first
    """Open the clients of a sandbox."""
    clients = Clients(Settings(dlq_url="http://127.0.0.1/dlq", table_name="recommendations"))
    yield clients
    await clients.close()


def _signature(request: web.BaseRequest, sent: bytes) -> str:
    """Return the signature that AWS would compute for a received request."""
    signed = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    received = AWSRequest(
        method=request.method,
        url=str(request.url),
        headers={name: request.headers[name] for name in signed},
        data=sent,
    )
    received.context["timestamp"] = request.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("test", "test"), "dynamodb", "us-east-1")
    return str(auth.signature(auth.string_to_sign(received, auth.canonical_request(received)), received))


async def test_body_is_sent_unchanged(endpoint: Endpoint, clients: Clients) -> None:
    """Byte for byte, and with the right length."""
    await clients.batch_write(BODY)
    ((request, sent),) = endpoint.requests
    assert sent == BODY
    assert request.headers["Content-Length"] == str(len(BODY))
    assert request.headers["X-Amz-Target"] == "DynamoDB_20120810.BatchWriteItem"


@pytest.mark.parametrize("length", [len(BODY), 3 * 1024 * 1024])
async def test_signature_covers_the_body(endpoint: Endpoint, clients: Clients, length: int) -> None:
    """Otherwise AWS would reject the request, and no emulator checks that. A large body is streamed."""
    body = BODY.ljust(length)
    await clients.batch_write(body)
    ((request, sent),) = endpoint.requests
    assert sent == body
    assert "Transfer-Encoding" not in request.headers
    claimed = request.headers["Authorization"].split("Signature=")[1]
    assert _signature(request, sent) == claimed
    assert _signature(request, sent + b" ") != claimed


async def test_concurrent_requests_keep_their_own_bodies(endpoint: Endpoint, clients: Clients) -> None:
    """Up to eight chunks share one client."""
    bodies = [b'{"RequestItems":{"recommendations":[%d]}}' % number for number in range(8)]
    await asyncio.gather(*map(clients.batch_write, bodies))
    assert sorted(sent for _, sent in endpoint.requests) == bodies


async def test_connections_are_kept_between_requests(endpoint: Endpoint, clients: Clients) -> None:
    """A TLS handshake would take most of a request's time."""
    for _ in range(5):
        await clients.batch_write(BODY)
    assert len(endpoint.peers) == 1


async def test_client_does_not_retry(endpoint: Endpoint, clients: Clients) -> None:
    """The writer retries, because it knows the deadline and what is left to write."""
    error = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow"}
    endpoint.responses = [web.json_response(error, status=400)]
    with pytest.raises(ClientError) as raised:
        await clients.batch_write(BODY)
    assert raised.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert len(endpoint.requests) == 1


async def test_dropped_connection_raises_botocores_exception(endpoint: Endpoint, clients: Clients) -> None:
    """So the writer retries it. The next request opens another connection."""
    endpoint.drop_next = True
    with pytest.raises(ConnectionClosedError):
        await clients.batch_write(BODY)
    await clients.batch_write(BODY)
    assert len(endpoint.peers) == 2


@pytest.mark.parametrize("length", [len(BODY), 3 * 1024 * 1024])
async def test_dead_pooled_connections_cost_no_attempt(endpoint: Endpoint, clients: Clients, length: int) -> None:
    """Each of the eight is reset as soon as it is used again. A large body is streamed from its beginning again."""
    endpoint.slow_start = 0.05  # so that each request needs a connection of its own
    await asyncio.gather(*(clients.batch_write(BODY) for _ in range(8)))
    assert len(endpoint.peers) == 8
    endpoint.reset_reused = True
    body = BODY.ljust(length)
    assert await clients.batch_write(body) == {"UnprocessedItems": {}}
    assert len(endpoint.peers) == 9
    assert endpoint.requests[-1][1] == body


async def test_dead_pooled_connection_costs_no_attempt_of_a_dead_letter(endpoint: Endpoint, clients: Clients) -> None:
    """The client's own retry is left for what the queue itself does."""
    success = {"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": hashlib.md5(b"x").hexdigest()}]}  # noqa: S324 - SQS's checksum
    busy = web.json_response({"__type": "com.amazonaws.sqs#InternalError"}, status=500)
    endpoint.responses = [web.json_response(success), busy, web.json_response(success)]
    await clients.send_dead_letters([{"Id": "0", "MessageBody": "x"}])
    endpoint.reset_reused = True
    response = await clients.send_dead_letters([{"Id": "0", "MessageBody": "x"}])
    assert response["Successful"][0]["Id"] == "0"


async def test_reset_of_a_new_connection_is_an_attempt(endpoint: Endpoint, clients: Clients) -> None:
    """The endpoint itself may be down, so the writer waits before it tries again."""
    endpoint.drop_next = True
    with pytest.raises(ConnectionClosedError):
        await clients.batch_write(BODY)
    assert len(endpoint.requests) == 1


async def test_dead_letters_are_sent_to_sqs(endpoint: Endpoint, clients: Clients) -> None:
    """By a second client, which serialises the request on its own."""
    success = {"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": hashlib.md5(b"x").hexdigest()}]}  # noqa: S324 - SQS's checksum
    endpoint.responses = [web.json_response(success)]
    response = await clients.send_dead_letters([{"Id": "0", "MessageBody": "x"}])
    ((request, sent),) = endpoint.requests
    assert request.headers["X-Amz-Target"] == "AmazonSQS.SendMessageBatch"
    assert b'"MessageBody": "x"' in sent
    assert response["Successful"][0]["Id"] == "0"


async def _consume(clients: Clients, count: int, remaining_ms: int) -> Any:
    return await invoke(
        event(*bodies(count, retention=None)),
        context=Context(remaining_ms),
        batch_write=clients.batch_write,
        put_item=clients.put_item,
        send_dead_letters=clients.send_dead_letters,
        monotonic=time.monotonic,
        wall=time.time,
        sleep=asyncio.sleep,
        delays=lambda: full_jitter(random.random, base=0.05, cap=2.0),
    )


async def test_table_that_crawls_for_one_chunk_gets_its_messages_named_before_the_timeout(
    endpoint: Endpoint, clients: Clients
) -> None:
    """Exactly the messages of that chunk are named."""
    await clients.batch_write(BODY)  # opens the connection, as in a warm sandbox
    endpoint.slow = lambda _request, sent: b"agent-24-" in sent
    began = time.monotonic()
    response = await _consume(clients, 30, remaining_ms=1_000)
    assert time.monotonic() - began < 1
    assert named(response) == [f"m{number}" for number in range(25)]


async def test_table_that_crawls_for_all_chunks_raises_before_the_timeout(endpoint: Endpoint, clients: Clients) -> None:
    """The sandbox's next invocation succeeds."""
    await clients.batch_write(BODY)  # opens the connection, as in a warm sandbox
    endpoint.slow = lambda _request, _sent: True
    began = time.monotonic()
    with pytest.raises(NothingStoredError, match="DeadlineExceeded"):
        await _consume(clients, 30, remaining_ms=1_000)
    assert time.monotonic() - began < 1
    endpoint.slow = lambda _request, _sent: False
    assert named(await _consume(clients, 30, remaining_ms=1_000)) == []


async def test_table_that_refuses_connections_raises_before_the_timeout(
    monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    """Nothing listens on its port."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    clients = Clients(Settings(dlq_url="http://127.0.0.1/dlq", table_name="recommendations"))
    with pytest.raises(NothingStoredError, match="Unreachable"):
        await _consume(clients, 30, remaining_ms=5_000)
    await clients.close()


@pytest.fixture
def unused_port() -> int:
    """Return a port that is currently free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
