"""The sandbox's SQS client. Importing this module takes about 0.3 s, so only the sender's thread does."""

import socket
from contextlib import AbstractAsyncContextManager

import aioboto3
from aiobotocore.config import AioConfig
from aiohttp.abc import AbstractResolver, ResolveResult

from recommendation_producer._delivery import SqsClient


def open_client(region_name: str | None, endpoint_url: str | None) -> AbstractAsyncContextManager[SqsClient]:
    """Return the client's context manager; call it and enter it on the loop that will use the client."""
    config = AioConfig(
        connect_timeout=1,  # seconds; botocore's defaults are 60 and 60
        read_timeout=2,
        retries={"total_max_attempts": 2, "mode": "standard"},  # two, as a pooled socket may be dead after a thaw
        tcp_keepalive=True,
        connector_args={"resolver": SameThreadResolver()},
    )
    client: AbstractAsyncContextManager[SqsClient] = aioboto3.Session().client(
        "sqs", region_name=region_name, endpoint_url=endpoint_url, config=config
    )
    return client


class SameThreadResolver(AbstractResolver):
    """Looks up names on the sender's own thread.

    aiohttp's default uses an executor, which refuses work once the interpreter shuts down, so that nothing could be
    sent at exit, and whose threads would delay that exit. Nothing else runs on the sender's loop.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the stream addresses of a host; raise `OSError` if there are none."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=address_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address_family, _, protocol, _, address in socket.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM
            )
        ]

    async def close(self) -> None:
        """Release nothing, because it holds nothing."""
