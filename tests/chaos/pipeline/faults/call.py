"""A call in AWS's JSON protocol, and its response: from the service, in its place, or a broken connection."""

import socket
import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from aiohttp import web

from tests.chaos.pipeline.faults.rates import WRITE, WRITE_ONE
from tests.support.servers.sqs_server import ERRORS

_DYNAMODB: Final = "com.amazonaws.dynamodb.v20120810#"
_JSON: Final = "application/x-amz-json-1.0"

Document = dict[str, Any]


class Call(NamedTuple):
    """A request: the call's name (see `rates`), its document, and the service and headers to forward it with."""

    name: str
    document: Document
    upstream: str
    headers: Mapping[str, str]
    caller: str = ""  # the process that sent it, if it says so: a consumer's number, or "keeper"


class Response(NamedTuple):
    """A response from the service, or one in its place."""

    status: int
    document: Document
    query_error: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the service did what was asked, at least in part."""
        return self.status == web.HTTPOk.status_code


def error(call: Call, sqs_fault: str, dynamodb_code: str) -> Response:
    """Return the error of the called service: an entry of `ERRORS`, or a code of DynamoDB's."""
    status, code, at_fault = ERRORS[sqs_fault]
    if call.name in {WRITE, WRITE_ONE}:
        return Response(status, {"__type": _DYNAMODB + dynamodb_code, "message": "injected fault"})
    return Response(status, {"__type": f"com.amazonaws.sqs#{code}"}, f"{code};{at_fault}")


def http_response(response: Response) -> web.Response:
    """Return the response in HTTP."""
    headers = {"x-amzn-query-error": response.query_error} if response.query_error else {}
    body = orjson.dumps(response.document)
    return web.Response(status=response.status, body=body, content_type=_JSON, headers=headers)


def truncated(response: Response) -> web.Response:
    """Return the first half of the response's JSON, as a gateway does that fails while it passes a response on."""
    body = orjson.dumps(response.document)
    return web.Response(status=response.status, body=body[: len(body) // 2], content_type=_JSON)


def reset(request: web.Request) -> web.Response:
    """Reset the caller's connection; the returned response reaches nobody."""
    transport = request.transport
    if transport is not None:  # None if the caller has already gone
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
