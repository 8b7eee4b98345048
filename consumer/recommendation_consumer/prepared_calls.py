"""Calls of DynamoDB with a ready body: one signature and one HTTP request, over botocore's own parts.

The client itself would resolve the endpoint anew, build, check and serialise parameters, emit a dozen events and parse:
700 µs of CPU a request, of which hashing and sending, all that must be done, are 200.
"""

from binascii import crc32
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import orjson
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ChecksumError, ClientError, NoCredentialsError
from botocore.parsers import create_parser

from recommendation_consumer.signature import Signer

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
        self._content_type = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        self._signer = Signer(self._url, model.signing_name, client.meta.region_name)
        self._credentials = credentials
        self._send = client._endpoint.http_session.send  # noqa: SLF001 - the client offers no other way to its session
        self._parser = create_parser(model.metadata["protocol"])
        self._target = f"{model.metadata['targetPrefix']}."

    async def send(self, operation: str, body: bytes) -> Mapping[str, Any]:
        """Send the body and return the response; raise `ClientError` or `BotoCoreError` as the client does.

        A response that is no JSON object comes as an empty one.
        """
        if self._credentials is None:
            raise NoCredentialsError
        # They are renewed here when they are about to expire.
        credentials = await self._credentials.get_frozen_credentials()
        headers = self._signer.headers(
            credentials, datetime.now(UTC), self._content_type, self._target + operation, body
        )
        headers["content-length"] = str(len(body))
        headers["user-agent"] = "opx-agent-recommendations"
        data = body if len(body) <= _LARGE_BODY else BytesIO(body)
        answer = await self._send(AWSPreparedRequest("POST", self._url, headers, data, stream_output=False))
        content = await answer.content
        _check(content, answer.headers.get("x-amz-crc32"))
        if answer.status_code >= _ERROR_STATUS:
            raise ClientError(self._error(operation, answer, content), operation)
        return _object(content)

    def _error(self, operation: str, answer: Any, content: bytes) -> Any:
        return self._parser.parse(
            {"status_code": answer.status_code, "headers": answer.headers, "body": content},
            self._model.operation_model(operation).output_shape,
        )


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:  # a page of something in between
        return {}
    return value if isinstance(value, dict) else {}


def _check(content: bytes, checksum: str | None) -> None:
    """Compare the response with the checksum that DynamoDB sends along."""
    if checksum is not None and int(checksum) != crc32(content):
        raise ChecksumError(checksum_type="crc32", expected_checksum=checksum, actual_checksum=crc32(content))
