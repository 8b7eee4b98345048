"""Requests with a ready-made body go where the client would send them, signed as the client would sign them."""

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

import aioboto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ChecksumError, ClientError, NoCredentialsError
from botocore.loaders import Loader

from recommendation_consumer.dynamodb_calls import DynamoDbCalls
from recommendation_shared.aws_errors import http_status

TABLE: Final = "opx-agent-recommendations"
ARN: Final = "arn:aws:dynamodb:us-east-1:999999999999:table/opx-agent-recommendations"
ACCOUNT: Final = {"AWS_ACCOUNT_ID": "123456789012"}
FIPS: Final = {"AWS_USE_FIPS_ENDPOINT": "true"}
DUAL_STACK: Final = {"AWS_USE_DUALSTACK_ENDPOINT": "true"}
PREFERRED, DISABLED, REQUIRED = (
    {"AWS_ACCOUNT_ID_ENDPOINT_MODE": mode} for mode in ("preferred", "disabled", "required")
)

# Region, environment, and the host that AWS documents for them ("Amazon DynamoDB endpoints and quotas"; AWS SDKs and
# Tools Reference Guide, "Account-based endpoints"). None means that the client raises.
ENDPOINTS: Final = [
    ("us-east-1", {}, "dynamodb.us-east-1.amazonaws.com"),
    ("eu-central-1", {}, "dynamodb.eu-central-1.amazonaws.com"),
    ("us-gov-west-1", {}, "dynamodb.us-gov-west-1.amazonaws.com"),
    ("cn-north-1", {}, "dynamodb.cn-north-1.amazonaws.com.cn"),
    ("us-iso-east-1", {}, "dynamodb.us-iso-east-1.c2s.ic.gov"),
    ("us-isob-east-1", {}, "dynamodb.us-isob-east-1.sc2s.sgov.gov"),
    ("us-east-1", ACCOUNT, "123456789012.ddb.us-east-1.amazonaws.com"),
    ("us-east-1", {**ACCOUNT, **PREFERRED}, "123456789012.ddb.us-east-1.amazonaws.com"),
    ("us-east-1", {**ACCOUNT, **REQUIRED}, "123456789012.ddb.us-east-1.amazonaws.com"),
    ("us-east-1", {**ACCOUNT, **DISABLED}, "dynamodb.us-east-1.amazonaws.com"),
    ("us-east-1", REQUIRED, None),
    ("us-gov-west-1", ACCOUNT, "dynamodb.us-gov-west-1.amazonaws.com"),
    ("cn-north-1", ACCOUNT, "dynamodb.cn-north-1.amazonaws.com.cn"),
    ("us-east-1", FIPS, "dynamodb-fips.us-east-1.amazonaws.com"),
    ("us-gov-west-1", FIPS, "dynamodb.us-gov-west-1.amazonaws.com"),
    ("us-gov-west-1", {**FIPS, **ACCOUNT}, "dynamodb.us-gov-west-1.amazonaws.com"),
    ("us-east-1", {**FIPS, **ACCOUNT}, "dynamodb-fips.us-east-1.amazonaws.com"),
    ("us-east-1", DUAL_STACK, "dynamodb.us-east-1.api.aws"),
    ("us-east-1", {**DUAL_STACK, **ACCOUNT}, "123456789012.ddb.us-east-1.api.aws"),
    ("us-east-1", {**DUAL_STACK, **FIPS}, "dynamodb-fips.us-east-1.api.aws"),
    ("us-east-1", {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "127.0.0.1:4566"),
    ("us-east-1", {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000/path"}, "127.0.0.1:8000"),
    (
        "us-east-1",
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"},
        "127.0.0.1:8000",
    ),
    ("us-east-1", {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", **ACCOUNT}, "127.0.0.1:4566"),
    (
        "us-east-1",
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        "dynamodb.us-east-1.amazonaws.com",
    ),
]
OPERATIONS: Final = ("BatchWriteItem", "PutItem")
LOADER: Final = Loader()  # shared, because otherwise each client would parse the service's model again


class Recorder:
    """Replaces a client's connections: records each request, and responds with an empty object."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.status, self.headers, self.content = 200, dict[str, str](), b"{}"

    async def send(self, request: Any) -> Any:
        """Respond with a success, unless the attributes say otherwise."""
        self.requests.append(request)
        content = Content(self.content)
        return SimpleNamespace(status_code=self.status, headers=self.headers, content=content, raw=SimpleNamespace())


class Content:
    """A body that can be awaited several times, like aiobotocore's."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __await__(self) -> Generator[None, None, bytes]:
        """Return the content."""
        return self._content
        yield


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every client the same credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")


@asynccontextmanager
async def _client(region: str) -> AsyncIterator[tuple[Any, Any, Recorder]]:
    """Yield a client, its session's credentials and the recorder of its requests."""
    session, recorder = aioboto3.Session(), Recorder()
    session._session.register_component("data_loader", LOADER)
    config = Config(retries={"total_max_attempts": 1})
    async with session.client("dynamodb", region_name=region, config=config) as client:
        client._endpoint.http_session.send = recorder.send
        yield client, await session.get_credentials(), recorder


async def _both(region: str, operation: str, table: str = TABLE) -> tuple[Any, Any]:
    """Send the same body by the client and by our calls; return both requests, or the types of the exceptions."""
    async with _client(region) as (client, credentials, recorder):
        try:
            await getattr(client, xform_name(operation))(**_parameters(operation, table))
            theirs = recorder.requests.pop()
        except BotoCoreError as error:
            theirs = type(error)
        try:
            await DynamoDbCalls(client, credentials, table).send(operation, getattr(theirs, "body", b"{}"))
            ours = recorder.requests.pop()
        except BotoCoreError as error:
            ours = type(error)
    return theirs, ours


def _parameters(operation: str, table: str) -> dict[str, Any]:
    item = {"recommendationId": {"S": "rec-1"}}
    if operation == "PutItem":
        return {"TableName": table, "Item": item}
    return {"RequestItems": {table: [{"PutRequest": {"Item": item}}]}}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("region", "environment", "host"), ENDPOINTS)
async def test_request_goes_where_the_client_would_send_it(
    region: str, environment: dict[str, str], host: str | None, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint is the one that botocore resolves for the operation; the documented host shows that it is right."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    theirs, ours = await _both(region, operation)
    if host is None:
        assert theirs is ours
        return
    assert ours.url == theirs.url
    assert ours.url.split("/")[2] == host


async def test_table_named_by_its_arn_is_reached_in_its_own_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host name contains the table's account rather than the caller's."""
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    for operation in OPERATIONS:
        theirs, ours = await _both("us-east-1", operation, ARN)
        assert ours.url == theirs.url
        assert "999999999999" in ours.url


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1"])
async def test_request_is_signed_as_the_client_would_sign_it(
    region: str, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same headers are signed and, at the same time of day, the signature is the same."""
    now = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - botocore uses a naive datetime
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: now)
    theirs, ours = await _both(region, operation)
    for name in ("Authorization", "Content-Type", "X-Amz-Target", "X-Amz-Date", "X-Amz-Security-Token"):
        assert _text(ours.headers[name]) == _text(theirs.headers[name])
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target" in _text(
        ours.headers["Authorization"]
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


async def test_endpoint_is_resolved_once_per_account() -> None:
    """Resolving takes 50 µs, and only the credentials' account can change the result."""
    resolved: list[str] = []
    async with _client("us-east-1") as (client, credentials, recorder):
        resolve, changing = client._resolve_endpoint_ruleset, ChangingAccount(credentials)

        async def counting(*args: Any, **kwargs: Any) -> Any:
            resolved.append(changing.account_id)
            return await resolve(*args, **kwargs)

        client._resolve_endpoint_ruleset = counting
        calls = DynamoDbCalls(client, changing, TABLE)
        for account_id in ("111111111111", "111111111111", "222222222222", "111111111111"):
            changing.account_id = account_id
            await calls.send("PutItem", b"{}")
    assert resolved == ["111111111111", "222222222222"]
    assert len(recorder.requests) == 4


class ChangingAccount:
    """Credentials whose account changes when they are refreshed."""

    def __init__(self, credentials: Any) -> None:
        self.account_id = ""
        self._credentials = credentials

    async def get_frozen_credentials(self) -> Any:
        """Return the credentials of the current account."""
        frozen = await self._credentials.get_frozen_credentials()
        return frozen._replace(account_id=self.account_id)


@pytest.mark.parametrize("checksum", ["", "none", "-1", "²", "9" * 5_000])
async def test_checksum_that_is_not_a_number_does_not_match(checksum: str) -> None:
    """Something other than DynamoDB set the header, so the response confirms nothing."""
    async with _client("us-east-1") as (client, credentials, recorder):
        recorder.headers = {"x-amz-crc32": checksum}
        with pytest.raises(ChecksumError):
            await DynamoDbCalls(client, credentials, TABLE).send("PutItem", b"{}")


@pytest.mark.parametrize("content", [b"[]", b"null", b"7", b'"busy"', b'{"__type":7}', b'{"__type":"a","message":[]}'])
async def test_error_that_is_not_dynamodbs_has_its_status(content: bytes) -> None:
    """A gateway may respond with any JSON, and the writer decides by the status."""
    async with _client("us-east-1") as (client, credentials, recorder):
        recorder.status, recorder.content = 503, content
        with pytest.raises(ClientError) as raised:
            await DynamoDbCalls(client, credentials, TABLE).send("PutItem", b"{}")
    assert http_status(raised.value) == 503


async def test_nothing_is_sent_without_credentials() -> None:
    """The client raises the same error."""
    async with _client("us-east-1") as (client, _, recorder):
        with pytest.raises(NoCredentialsError):
            await DynamoDbCalls(client, None, TABLE).send("PutItem", b"{}")
    assert recorder.requests == []
