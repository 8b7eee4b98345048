"""Expired and missing credentials, with the real handler and the real client."""

from collections.abc import Iterator

import pytest

from recommendation_consumer.handler import handler
from recommendation_consumer.invocation import NothingStoredError
from tests.support.lambdas.event import Context, bodies, event
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import AwsServer, aws_server

MESSAGES = event(*bodies(3, retention=None))  # with the real clock, no recommendation may expire


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    """Start a server, with no keys in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with aws_server() as running:
        yield running


def test_expired_credentials_are_replaced_without_a_restart(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come from a container endpoint, as with SnapStart, and the client fetches new ones before they expire."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.credentials_url)
    server.access_key, server.trusted_key = "old", "new"
    with lambda_sandbox(server.url, server.dlq_url):
        with pytest.raises(NothingStoredError, match="ExpiredTokenException"):
            handler(MESSAGES, Context())
        server.access_key = "new"
        assert handler(MESSAGES, Context()) == {"batchItemFailures": []}
    assert len(server.items) == 3


def test_missing_credentials_raise_and_nothing_is_sent(server: AwsServer) -> None:
    """The function may have lost its role."""
    with (
        lambda_sandbox(server.url, server.dlq_url),
        pytest.raises(NothingStoredError, match="NoCredentialsError"),
    ):
        handler(MESSAGES, Context())
    assert not server.table.requests
