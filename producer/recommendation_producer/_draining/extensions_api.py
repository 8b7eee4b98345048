"""The two requests of an internal Lambda extension.

Source: AWS Lambda Developer Guide, "Using the Lambda Extensions API to create extensions".
"""

import json
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Final, NamedTuple

_PATH: Final = "/2020-01-01/extension"
_NAME: Final = "Lambda-Extension-Name"
_IDENTIFIER: Final = "Lambda-Extension-Identifier"


class ExtensionsApiError(Exception):
    """Lambda refused a request; the message has the request, the HTTP status and Lambda's own reason."""


class Invoke(NamedTuple):
    """An invocation that Lambda has handed to the runtime at the same moment; the deadline is in epoch milliseconds."""

    request_id: str
    deadline_ms: float


class ExtensionsApi:
    """Used by one thread at a time. Each method raises `OSError`, `HTTPException` or `ExtensionsApiError` if it fails.

    `address` is the value of AWS_LAMBDA_RUNTIME_API. The connection has no timeout: the answer to `next_invoke` comes
    with the next invocation, which may be hours away, and the sandbox is frozen meanwhile.
    """

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address)
        self._identifier = ""

    def register(self, name: str) -> None:
        """Register for invocations, the only events that an internal extension may have."""
        headers, _ = self._request("POST", "register", {_NAME: name}, json.dumps({"events": ["INVOKE"]}))
        self._identifier = headers.get(_IDENTIFIER, "")

    def next_invoke(self) -> Invoke | None:
        """Say that this extension has finished, and wait for the next invocation; None is another kind of event."""
        _, event = self._request("GET", "event/next", {_IDENTIFIER: self._identifier}, None)
        if event.get("eventType") != "INVOKE":
            return None
        return Invoke(str(event.get("requestId")), float(event.get("deadlineMs", 0)))

    def close(self) -> None:
        """Close the connection; the next request would open another."""
        self._connection.close()

    def _request(self, method: str, path: str, headers: dict[str, str], body: str | None) -> tuple[Any, dict[str, Any]]:
        try:
            self._connection.request(method, f"{_PATH}/{path}", body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except BaseException:
            self.close()
            raise
        if response.status != HTTPStatus.OK:
            raise ExtensionsApiError(
                f"{method} {path}: HTTP {response.status} {content[:200].decode(errors='replace')}"
            )
        try:
            answer = json.loads(content)
        except ValueError:
            raise ExtensionsApiError(f"{method} {path}: the response is not JSON") from None
        if not isinstance(answer, dict):
            raise ExtensionsApiError(f"{method} {path}: the response is not an object")
        return response.headers, answer
