"""Missing, expired or unknown credentials are counted, logged once, and recovered from without a restart."""

import logging
from collections.abc import Iterator

import pytest

from recommendation_producer import RecommendationProducer
from recommendation_producer._sending import client as client_module
from recommendation_producer._sending import sqs_client
from tests.support.fakes.queue import balanced, recommendation
from tests.support.servers.sqs_server import SqsServer, sqs_server

PLENTY = 30.0  # seconds


@pytest.fixture
def server() -> Iterator[SqsServer]:
    """A server that trusts one key only."""
    with sqs_server() as running:
        running.trusted_key = "renewed"
        yield running


@pytest.fixture
def producer(server: SqsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecommendationProducer]:
    """A producer that may look for new credentials at every attempt."""
    monkeypatch.setattr(client_module, "RENEWAL", 0.0)
    running = RecommendationProducer(server.queue_url, "us-east-1", server.url, max_age=600.0)
    yield running
    final = running.close(timeout=0.0)
    assert balanced(final)


def test_expired_credentials_cost_nothing_if_they_are_renewed_in_time(
    producer: RecommendationProducer, server: SqsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They expire on schedule and are renewed on schedule, so it is worth waiting."""
    server.fault = "expired"
    producer.enqueue(**recommendation(0))
    assert producer.flush(0.5).pending == 1
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "renewed")
    balance = producer.flush(PLENTY)
    assert (balance.sent, balance.dropped) == (1, {})
    assert server.faults["expired"] > 0


def test_unknown_credentials_are_counted_logged_once_and_recovered_from(
    producer: RecommendationProducer,
    server: SqsServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A deactivated key, for example, until somebody sets another."""
    caplog.set_level(logging.INFO, "recommendation_producer")
    server.fault = "unknown"
    for number in range(6):
        producer.enqueue(**recommendation(number, reasoning="a secret"))
        producer.flush(PLENTY)
    assert producer.balance.dropped == {"send_failed": 6}
    assert server.faults["unknown"] == 6
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "renewed")
    producer.enqueue(**recommendation(6))
    assert producer.flush(PLENTY).sent == 1
    (message,) = [record.getMessage() for record in caplog.records if record.name == "recommendation_producer"]
    assert "InvalidClientTokenId" in message
    assert "secret" not in message


def test_missing_credentials_are_counted_and_found_later(
    producer: RecommendationProducer, server: SqsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials, nothing is sent and no flush waits."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    producer.enqueue(**recommendation(0))
    assert producer.flush(PLENTY).dropped == {"send_failed": 1}
    assert not server.asked.is_set()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "renewed")
    producer.enqueue(**recommendation(1))
    assert producer.flush(PLENTY).sent == 1


def test_missing_permission_is_recovered_from_with_the_same_credentials(
    producer: RecommendationProducer, server: SqsServer
) -> None:
    """A policy may be attached too late."""
    server.fault = "denied"
    for number in range(2):
        producer.enqueue(**recommendation(number))
        producer.flush(PLENTY)
    assert producer.balance.dropped == {"send_failed": 2}
    server.heal()
    producer.enqueue(**recommendation(2))
    assert producer.flush(PLENTY).sent == 1


def test_client_is_renewed_only_at_intervals(server: SqsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new client costs 50 ms of the host's processor."""
    monkeypatch.setattr(client_module, "RENEWAL", 600.0)
    opened = 0
    real = sqs_client.open_client

    def counting(region_name: str | None, endpoint_url: str | None) -> object:
        nonlocal opened
        opened += 1
        return real(region_name, endpoint_url)

    monkeypatch.setattr(sqs_client, "open_client", counting)
    server.fault = "unknown"
    producer = RecommendationProducer(server.queue_url, "us-east-1", server.url, max_age=600.0)
    for number in range(4):
        producer.enqueue(**recommendation(number))
        producer.flush(PLENTY)
    assert producer.close(0).dropped == {"send_failed": 4}
    assert opened == 2
