"""The two requests of an extension, as Lambda's developer guide describes them."""

import json
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest

from infra.local.serving import serving
from recommendation_producer._draining.after_response import open_api
from recommendation_producer._draining.extensions_api import ExtensionsApi, ExtensionsApiError, Invoke
from tests.support.servers.http_server import HttpConnection, HttpServer

EVENT = {"eventType": "INVOKE", "deadlineMs": 1_769_860_800_123, "requestId": "request-1", "tracing": {"type": "x"}}


class Lambda(HttpServer):
    """Answers every request with `answer`, a status and a body; closes the connection if it is None."""

    def __init__(self) -> None:
        super().__init__(_Connection)
        self.answer: tuple[int, bytes] | None = (200, json.dumps(EVENT).encode())
        self.requests: list[tuple[str, dict[str, str], Any]] = []


class _Connection(HttpConnection):
    server: Lambda

    def do_GET(self) -> None:
        self._respond(None)

    def do_POST(self) -> None:
        self._respond(self.read_json())

    def _respond(self, body: Any) -> None:
        self.server.requests.append((f"{self.command} {self.path}", dict(self.headers), body))
        if self.server.answer is None:
            self.close_connection = True
        else:
            self.respond(*self.server.answer, [("Lambda-Extension-Identifier", "identifier-1")])


@pytest.fixture
def server() -> Iterator[Lambda]:
    """Lambda's API on a free port."""
    running = Lambda()
    with serving(running):
        yield running


@pytest.fixture
def api(server: Lambda) -> Iterator[ExtensionsApi]:
    """The client, registered."""
    client = ExtensionsApi(server.url.removeprefix("http://"))
    client.register("recommendation-producer-1")
    yield client
    client.close()


def test_extension_registers_for_invocations_only(api: ExtensionsApi, server: Lambda) -> None:
    """Lambda refuses an internal extension that asks for another event."""
    (request, headers, body) = server.requests[0]
    assert (request, body) == ("POST /2020-01-01/extension/register", {"events": ["INVOKE"]})
    assert headers["Lambda-Extension-Name"] == "recommendation-producer-1"
    assert api.next_invoke() is not None


def test_next_invocation_is_asked_for_under_the_identifier_that_lambda_gave(api: ExtensionsApi, server: Lambda) -> None:
    """It brings the request ID and the deadline."""
    assert api.next_invoke() == Invoke("request-1", 1_769_860_800_123)
    (request, headers, _) = server.requests[-1]
    assert request == "GET /2020-01-01/extension/event/next"
    assert headers["Lambda-Extension-Identifier"] == "identifier-1"


def test_event_of_another_kind_is_no_invocation(api: ExtensionsApi, server: Lambda) -> None:
    """For instance SHUTDOWN, should Lambda ever send it."""
    server.answer = (200, b'{"eventType":"SHUTDOWN","shutdownReason":"spindown"}')
    assert api.next_invoke() is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, b'{"errorType":"Extension.UnknownExtensionIdentifier"}'), "HTTP 403 .*UnknownExtensionIdentifier"),
        ((500, b"\xff"), "HTTP 500"),
        ((200, b"<html>"), "not JSON"),
        ((200, b"[]"), "not an object"),
    ],
)
def test_refusal_names_the_request_and_lambdas_reason(
    answer: tuple[int, bytes], message: str, api: ExtensionsApi, server: Lambda
) -> None:
    """The log then says why the handler drains."""
    server.answer = answer
    with pytest.raises(ExtensionsApiError, match=f"^GET event/next: .*{message}"):
        api.next_invoke()


def test_connection_that_ends_is_replaced_by_the_next_request(api: ExtensionsApi, server: Lambda) -> None:
    """It may not survive a freeze."""
    answer, server.answer = server.answer, None
    with pytest.raises((OSError, HTTPException)):
        api.next_invoke()
    server.answer = answer
    assert api.next_invoke() == Invoke("request-1", 1_769_860_800_123)
    assert server.close_connections() > 0
    with pytest.raises((OSError, HTTPException)):
        api.next_invoke()
    assert api.next_invoke() is not None


def test_outside_of_lambda_there_is_no_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says so."""
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API", raising=False)
    with pytest.raises(RuntimeError, match="AWS_LAMBDA_RUNTIME_API is not set"):
        open_api()
