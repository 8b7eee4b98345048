"""The requests as they leave: a ready body under a true signature, and connections that live as long as the sandbox."""

import asyncio
import hashlib
import random
import socket
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
from recommendation_consumer.invocation import NothingStoredError, consume
from recommendation_shared.backoff import full_jitter
from recommendation_shared.settings import Settings
from tests.support.fakes.aws import dependencies
from tests.support.lambdas.event import Context, bodies, event, named

READY = '{"RequestItems":{"recommendations":[{"PutRequest":{"Item":{"note":{"S":"schön"}}}}]}}'.encode()


class Endpoint:
    """An AWS endpoint on 127.0.0.1 that keeps what it receives."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.BaseRequest, bytes]] = []
        self.peers: set[Any] = set()
        self.answers: list[web.Response] = []
        self.drop_next = False
        self.slow: Callable[[web.BaseRequest, bytes], bool] = lambda _request, _body: False

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with the next of `answers`, or with an empty success."""
        self.requests.append((request, await request.content.read()))
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        if self.drop_next:
            self.drop_next = False
            request.transport.abort()
        if self.slow(request, self.requests[-1][1]):
            return await _crawl(request)
        return self.answers.pop(0) if self.answers else web.json_response({"UnprocessedItems": {}})


async def _crawl(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with a byte every 50 ms, which no read timeout notices."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Endpoint]:
    """Start the endpoint and point the clients at it."""
    endpoint = Endpoint()
    server = web.Server(endpoint.answer)
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
    """Sign what was received as AWS does, to compare."""
    signed = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    again = AWSRequest(
        method=request.method,
        url=str(request.url),
        headers={name: request.headers[name] for name in signed},
        data=sent,
    )
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("test", "test"), "dynamodb", "us-east-1")
    return str(auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again))


async def test_the_ready_body_is_sent_as_it_is(endpoint: Endpoint, clients: Clients) -> None:
    """Byte for byte, and of the right length."""
    await clients.batch_write(READY)
    ((request, sent),) = endpoint.requests
    assert sent == READY
    assert request.headers["Content-Length"] == str(len(READY))
    assert request.headers["X-Amz-Target"] == "DynamoDB_20120810.BatchWriteItem"


@pytest.mark.parametrize("length", [len(READY), 3 * 1024 * 1024])
async def test_the_signature_covers_the_ready_body(endpoint: Endpoint, clients: Clients, length: int) -> None:
    """AWS would refuse the request otherwise, and no emulator checks it. A large body is streamed."""
    ready = READY.ljust(length)
    await clients.batch_write(ready)
    ((request, sent),) = endpoint.requests
    assert sent == ready
    assert "Transfer-Encoding" not in request.headers
    claimed = request.headers["Authorization"].split("Signature=")[1]
    assert _signature(request, sent) == claimed
    assert _signature(request, sent + b" ") != claimed


async def test_requests_in_flight_at_once_keep_their_own_bodies(endpoint: Endpoint, clients: Clients) -> None:
    """Eight chunks share a client."""
    bodies = [b'{"RequestItems":{"recommendations":[%d]}}' % number for number in range(8)]
    await asyncio.gather(*map(clients.batch_write, bodies))
    assert sorted(sent for _, sent in endpoint.requests) == bodies


async def test_connections_are_kept_between_requests(endpoint: Endpoint, clients: Clients) -> None:
    """A TLS handshake a request would be most of its time."""
    for _ in range(5):
        await clients.batch_write(READY)
    assert len(endpoint.peers) == 1


async def test_the_client_retries_nothing_by_itself(endpoint: Endpoint, clients: Clients) -> None:
    """The writer does, because it knows the deadline and what is left to write."""
    error = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow"}
    endpoint.answers = [web.json_response(error, status=400)]
    with pytest.raises(ClientError) as raised:
        await clients.batch_write(READY)
    assert raised.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert len(endpoint.requests) == 1


async def test_a_dropped_connection_is_an_error_of_botocore(endpoint: Endpoint, clients: Clients) -> None:
    """Which the writer knows to retry; the next request opens another connection."""
    endpoint.drop_next = True
    with pytest.raises(ConnectionClosedError):
        await clients.batch_write(READY)
    await clients.batch_write(READY)
    assert len(endpoint.peers) == 2


async def test_dead_letters_are_sent_by_a_client_of_their_own(endpoint: Endpoint, clients: Clients) -> None:
    """Opened when there is poison; its body is its own."""
    answer = {"Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": hashlib.md5(b"x").hexdigest()}]}  # noqa: S324 - SQS's checksum
    endpoint.answers = [web.json_response(answer)]
    response = await clients.send_dead_letters([{"Id": "0", "MessageBody": "x"}])
    ((request, sent),) = endpoint.requests
    assert request.headers["X-Amz-Target"] == "AmazonSQS.SendMessageBatch"
    assert b'"MessageBody": "x"' in sent
    assert response["Successful"][0]["Id"] == "0"


async def _consume(clients: Clients, count: int, remaining_ms: int) -> Any:
    around = dependencies(
        batch_write=clients.batch_write,
        put_item=clients.put_item,
        send_dead_letters=clients.send_dead_letters,
        monotonic=time.monotonic,
        wall=time.time,
        sleep=asyncio.sleep,
        delays=lambda: full_jitter(random.random, base=0.05, cap=2.0),
    )
    return await consume(event(*bodies(count, retention=None)), Context(remaining_ms), around)


async def test_a_crawling_table_is_answered_for_before_the_timeout(endpoint: Endpoint, clients: Clients) -> None:
    """By name, for the chunk that it does not finish."""
    await clients.batch_write(READY)  # opened, as in a sandbox that is warm
    endpoint.slow = lambda _request, sent: b"agent-24-" in sent
    began = time.monotonic()
    response = await _consume(clients, 30, remaining_ms=1_000)
    assert time.monotonic() - began < 1
    assert named(response) == [f"m{number}" for number in range(25)]


async def test_a_table_that_crawls_for_all_raises_before_the_timeout(endpoint: Endpoint, clients: Clients) -> None:
    """And the sandbox goes on with the next invocation."""
    await clients.batch_write(READY)  # opened, as in a sandbox that is warm
    endpoint.slow = lambda _request, _sent: True
    began = time.monotonic()
    with pytest.raises(NothingStoredError, match="DeadlineExceeded"):
        await _consume(clients, 30, remaining_ms=1_000)
    assert time.monotonic() - began < 1
    endpoint.slow = lambda _request, _sent: False
    assert named(await _consume(clients, 30, remaining_ms=1_000)) == []


async def test_a_table_that_refuses_connections_raises_before_the_timeout(
    monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    """Nobody listens."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    clients = Clients(Settings(dlq_url="http://127.0.0.1/dlq", table_name="recommendations"))
    with pytest.raises(NothingStoredError, match="Unreachable"):
        await _consume(clients, 30, remaining_ms=5_000)
    await clients.close()


@pytest.fixture
def unused_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
