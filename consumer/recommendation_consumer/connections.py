"""HTTP connections to AWS: a request that meets a dead pooled connection is sent again on another one."""

from contextvars import ContextVar
from typing import Any, Final

from aiobotocore.httpsession import AIOHTTPSession
from aiohttp import ClientOSError, ClientSession, ServerDisconnectedError, TraceConfig
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

_reused: Final[ContextVar[bool]] = ContextVar("_reused", default=False)


class PooledConnections(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore has no type hints
    """An aiobotocore client's connections.

    A server, or a gateway in between, closes connections that are idle, and a sandbox that was frozen in the meantime
    learns of it only when it sends the next request. Such a reset says nothing about the service, so it does not count
    as an attempt. It takes a connection out of the pool, so there are at most as many resets as connections.
    """

    async def send(self, request: Any) -> Any:
        """Return the response. Raises botocore's errors, as `AIOHTTPSession` does."""
        while True:
            _reused.set(False)
            try:
                return await super().send(request)
            except (ConnectionClosedError, EndpointConnectionError) as error:
                if not (_reused.get() and isinstance(error.kwargs["error"], ServerDisconnectedError | ClientOSError)):
                    raise
                if not isinstance(request.body, str | bytes):
                    request.body.seek(0)

    async def _get_session(self, proxy_url: str | None) -> ClientSession:
        """Return the client session, which notes for each request whether its connection was used before."""
        session: ClientSession = await super()._get_session(proxy_url)
        if not session.trace_configs:
            trace = TraceConfig()
            trace.on_connection_reuseconn.append(_note_reuse)
            trace.freeze()
            session.trace_configs.append(trace)
        return session


async def _note_reuse(*_: object) -> None:
    _reused.set(True)
