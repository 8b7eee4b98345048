"""A call of AWS's JSON protocol, and how it is answered: by the service, in its place, or not at all."""

import socket
import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from aiohttp import web

from tests.chaos.pipeline.faults.rates import WRITE, WRITE_ONE
from tests.support.servers.fault_server import ERRORS

_DYNAMODB: Final = "com.amazonaws.dynamodb.v20120810#"
_JSON: Final = "application/x-amz-json-1.0"

Document = dict[str, Any]


class Call(NamedTuple):
    """A request: what it asks for, as the faults name it, its document, and its way on."""

    name: str
    document: Document
    upstream: str
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """An answer of the service, or one in its place."""

    status: int
    document: Document
    query_error: str | None = None

    @property
    def is_ok(self) -> bool:
        """Tell whether the service did what it was asked for, if perhaps in part."""
        return self.status == web.HTTPOk.status_code


def error(call: Call, of_sqs: str, of_dynamodb: str) -> Answer:
    """Return what the service that was called says when it fails."""
    status, code, whose = ERRORS[of_sqs]
    if call.name in {WRITE, WRITE_ONE}:
        return Answer(status, {"__type": _DYNAMODB + of_dynamodb, "message": "as chance had it"})
    return Answer(status, {"__type": f"com.amazonaws.sqs#{code}"}, f"{code};{whose}")


def response(answer: Answer) -> web.Response:
    """Return the answer as HTTP has it."""
    headers = {"x-amzn-query-error": answer.query_error} if answer.query_error else {}
    return web.Response(status=answer.status, body=orjson.dumps(answer.document), content_type=_JSON, headers=headers)


def reset(request: web.Request) -> web.Response:
    """Break the connection under the caller; what is returned then reaches nobody."""
    transport = request.transport
    if transport is not None:  # None when the caller has gone already
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
