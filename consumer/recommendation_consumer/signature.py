"""AWS Signature Version 4 for the one kind of request that is made here: a POST of JSON.

By the IAM User Guide, "Create a signed AWS API request". botocore's signer, made for every kind, takes five times as
long beside the hash of the body; the tests sign by it, too, and compare.
"""

from datetime import datetime
from hashlib import sha256
from hmac import digest
from typing import Final, Protocol
from urllib.parse import urlsplit

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}  # HTTP leaves them out of the header Host


class Credentials(Protocol):
    """What botocore's frozen credentials are."""

    access_key: str
    secret_key: str
    token: str | None


class Signer:
    """Signs requests to one endpoint. The key that a day's requests share is made once."""

    def __init__(self, url: str, service: str, region: str) -> None:
        endpoint = urlsplit(url)
        host = endpoint.netloc.rpartition("@")[2].lower()
        self._host = host.removesuffix(_DEFAULT_PORTS.get(endpoint.scheme, ""))
        self._path = endpoint.path or "/"
        self._region, self._service = region, service
        self._key_of: tuple[str, str] | None = None
        self._key = b""

    def headers(
        self, credentials: Credentials, now: datetime, content_type: str, target: str, body: bytes
    ) -> dict[str, str]:
        """Return the headers of a POST of `body` at `now`, an instant in UTC: those that are signed, and the signature.

        `target` is the operation, as X-Amz-Target names it.
        """
        time = now.strftime("%Y%m%dT%H%M%SZ")
        headers = {"content-type": content_type, "host": self._host, "x-amz-date": time}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        headers["x-amz-target"] = target
        names = ";".join(headers)  # in the order of the alphabet
        lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
        request = f"POST\n{self._path}\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{time[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"{_ALGORITHM}\n{time}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = digest(self._key_for(credentials.secret_key, time[:8]), text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _key_for(self, secret: str, day: str) -> bytes:
        if self._key_of != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = digest(key, part.encode(), "sha256")
            self._key_of, self._key = (secret, day), key
        return self._key
