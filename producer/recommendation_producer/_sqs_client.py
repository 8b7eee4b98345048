"""The one SQS client of a sandbox. Importing this module costs about 0.3 s, so only the sender's thread does it."""

import socket
from contextlib import AbstractAsyncContextManager

import aioboto3
from aiobotocore.config import AioConfig
from aiohttp.abc import AbstractResolver, ResolveResult

from recommendation_producer._delivery import SqsClient


def open_client(region_name: str | None, endpoint_url: str | None) -> AbstractAsyncContextManager[SqsClient]:
    """Return the client's context; to be called, and entered, on the loop that will use it."""
    config = AioConfig(
        connect_timeout=1,  # seconds; botocore's defaults are 60 and 60
        read_timeout=2,
        retries={"total_max_attempts": 2, "mode": "standard"},  # one more: a pooled socket may be dead after a thaw
        tcp_keepalive=True,
        connector_args={"resolver": SameThreadResolver()},
    )
    client: AbstractAsyncContextManager[SqsClient] = aioboto3.Session().client(
        "sqs", region_name=region_name, endpoint_url=endpoint_url, config=config
    )
    return client


class SameThreadResolver(AbstractResolver):
    """Looks names up on the sender's own thread.

    aiohttp's default hands them to an executor, which refuses work once the interpreter shuts down (so that nothing
    could be sent at exit) and whose threads would hold up that exit. Nothing else runs on the sender's loop.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the stream addresses of a host; raises OSError when there are none."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found_family, _, protocol, _, address in socket.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM
            )
        ]

    async def close(self) -> None:
        """Hold nothing, release nothing."""
