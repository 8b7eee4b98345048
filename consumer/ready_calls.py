"""Calls of DynamoDB with a ready body: one signature and one HTTP request, over botocore's own parts.

The client itself would resolve the endpoint anew, build, check and serialise parameters, emit a dozen events and parse:
700 µs of CPU a request, of which signing and sending, all that is done here, are 300.
"""

from binascii import crc32
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ChecksumError, ClientError
from botocore.parsers import create_parser

_LARGE_BODY: Final = 1024 * 1024  # bytes; above it aiohttp warns, because one write of it all holds up the event loop
_ERROR_STATUS: Final = 300  # HTTP status, and those above


class ReadyCalls:
    """The service's operations, by an open aiobotocore client of DynamoDB and the credentials of its session.

    It shares the client's connections: timeouts, proxies and certificates are as the client is configured.
    """

    def __init__(self, client: Any, credentials: Any) -> None:
        model = client.meta.service_model
        self._model = model
        self._url = client.meta.endpoint_url
        self._headers = {
            "Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
            "User-Agent": "opx-agent-recommendations",
        }
        self._scope = model.signing_name, client.meta.region_name
        self._credentials = credentials
        self._send = client._endpoint.http_session.send  # noqa: SLF001 - the client offers no other way to its session
        self._parser = create_parser(model.metadata["protocol"])
        self._target = f"{model.metadata['targetPrefix']}."

    async def send(self, operation: str, body: bytes) -> Mapping[str, Any]:
        """Send the body and return the response; raise `ClientError` or `BotoCoreError` as the client does."""
        # They are renewed here when they are about to expire; without any, signing raises `NoCredentialsError`.
        credentials = self._credentials and await self._credentials.get_frozen_credentials()
        request = AWSRequest(
            method="POST",
            url=self._url,
            headers={**self._headers, "X-Amz-Target": self._target + operation},
            data=body if len(body) <= _LARGE_BODY else BytesIO(body),
        )
        SigV4Auth(credentials, *self._scope).add_auth(request)
        answer = await self._send(request.prepare())
        content = await answer.content
        _check(content, answer.headers.get("x-amz-crc32"))
        parsed: Mapping[str, Any] = self._parser.parse(
            {"status_code": answer.status_code, "headers": answer.headers, "body": content},
            self._model.operation_model(operation).output_shape,
        )
        if answer.status_code >= _ERROR_STATUS:
            raise ClientError(parsed, operation)
        return parsed


def _check(content: bytes, checksum: str | None) -> None:
    """Compare the response with the checksum that DynamoDB sends along."""
    if checksum is not None and int(checksum) != crc32(content):
        raise ChecksumError(checksum_type="crc32", expected_checksum=checksum, actual_checksum=crc32(content))
