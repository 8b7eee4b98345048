"""The HTTP server: uvicorn on a socket that is open already, which ends without waiting for pages that stay open."""

import asyncio
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_GRACE: Final = 2  # seconds that pages have at the end; those that follow, or still read, end at once


class UiServer(uvicorn.Server):
    """Serves an application until Ctrl-C, which `run` then raises; `closing` is set when it ends."""

    def __init__(self, app: ASGIApp, closing: asyncio.Event) -> None:
        self._closing = closing
        config = uvicorn.Config(
            app,
            log_config=None,  # warnings and errors go to stderr as they are
            log_level="warning",
            access_log=False,  # which would hold the token
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the pages that are open, and stop serving."""
        self._closing.set()
        await super().shutdown(sockets)
