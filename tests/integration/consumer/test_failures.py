"""Failures over HTTP, with the real handler and the real client: what is retried, and what happens to the messages."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from recommendation_consumer.handler import handler
from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.item.encoding import encode_item
from tests.support.emf import totals
from tests.support.lambdas.event import Context, body, event, named
from tests.support.lambdas.event import bodies as bodies_of
from tests.support.lambdas.event import envelope as envelope_of
from tests.support.lambdas.sandbox import lambda_sandbox
from tests.support.servers.aws_server import (
    LOSE,
    RESET,
    Answer,
    AwsServer,
    Fault,
    aws_server,
    dynamodb_error,
    sqs_error,
)

Counts = Callable[[], dict[str, float]]
INDEX = "arn:aws:dynamodb:us-east-1:123456789012:table/recommendations/index/incidentId-timestamp-index"


def bodies(count: int) -> list[str]:
    """Return bodies of recommendations that never expire, because the clock is real."""
    return bodies_of(count, retention=None)


def index_throttled(code: str) -> Answer:
    """Return DynamoDB's response to throttling by an index, with the reasons that it has given since 2025."""
    reasons = [{"reason": "IndexWriteKeyRangeThroughputExceeded", "resource": INDEX}]
    return dynamodb_error(code, message="Throughput exceeds the limit", throttlingReasons=reasons)


@pytest.fixture(scope="module")
def warm() -> Iterator[AwsServer]:
    """Start a server and one sandbox for all tests: after each failure, the sandbox must still work."""
    with aws_server() as running, lambda_sandbox(running.url, running.dlq_url):
        yield running


@pytest.fixture
def server(warm: AwsServer) -> AwsServer:
    """Return the server, healthy and empty."""
    warm.reset()
    return warm


@pytest.fixture
def counts(capsys: pytest.CaptureFixture[str]) -> Counts:
    """Return a function that returns the totals of the metrics emitted since its last call."""
    return lambda: totals(capsys.readouterr().out)


TRANSIENT: list[Any] = [
    pytest.param(RESET, id="connection reset"),
    pytest.param(LOSE, id="response lost after the write"),
    pytest.param(dynamodb_error("InternalServerError", 500), id="500"),
    pytest.param(Answer(503, b"<html>busy</html>"), id="503 with a page"),
    pytest.param(Answer(502, b""), id="502 without a body"),
    pytest.param(Answer(200, b"<html>a proxy</html>"), id="200 that is not DynamoDB's"),
    pytest.param(Answer(200, b""), id="200 without a body"),
    pytest.param(Answer(200, b'{"UnprocessedItems":{}}', (("x-amz-crc32", "1"),)), id="damaged response"),
    pytest.param(dynamodb_error("TransactionConflictException"), id="transaction conflict"),
    pytest.param(dynamodb_error("ReplicatedWriteConflictException"), id="replicated write conflict"),
]


@pytest.mark.parametrize("fault", TRANSIENT)
def test_transient_failure_is_retried_within_the_invocation(server: AwsServer, counts: Counts, fault: Fault) -> None:
    """SQS does not notice."""
    server.table.faults.extend([fault, fault])
    assert handler(event(*bodies(3)), Context()) == {"batchItemFailures": []}
    assert len(server.table.requests) == 3
    assert len(server.items) == 3
    assert "RecommendationPersistenceFailure" not in counts()


@pytest.mark.parametrize("fault", TRANSIENT)
def test_lasting_failure_raises_after_a_share_of_the_time(server: AwsServer, counts: Counts, fault: Fault) -> None:
    """Messages are better kept in the queue than in a waiting function, but short outages pass."""
    server.table.last = fault
    started = time.monotonic()
    with pytest.raises(NothingStoredError, match="None of the batch"):
        handler(event(*bodies(3)), Context(remaining_ms=4_500))
    assert time.monotonic() - started < 3  # a third of 3.15 s, and one attempt
    assert len(server.table.requests) >= 3
    assert counts()["RecommendationPersistenceFailure"] == 3


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(dynamodb_error("ProvisionedThroughputExceededException"), id="table, provisioned"),
        pytest.param(index_throttled("ProvisionedThroughputExceededException"), id="index, provisioned"),
        pytest.param(index_throttled("ThrottlingException"), id="index, on demand"),
        pytest.param(dynamodb_error("ThrottlingException"), id="table, on demand"),
        pytest.param(dynamodb_error("RequestLimitExceeded"), id="account"),
        pytest.param(Answer(429, b""), id="gateway"),
    ],
)
def test_throttling_is_waited_out_and_counted(server: AwsServer, counts: Counts, fault: Fault) -> None:
    """Whether the table, an index or the account is throttled."""
    server.table.faults.extend([fault] * 4)
    assert handler(event(*bodies(3)), Context()) == {"batchItemFailures": []}
    assert len(server.table.requests) == 5
    assert len(server.items) == 3
    assert counts()["RecommendationPersistenceThrottled"] == 4


def test_index_throttled_until_the_deadline_raises(server: AwsServer, counts: Counts) -> None:
    """It counts as throttling, whatever the reasons that DynamoDB gives."""
    server.table.last = index_throttled("ThrottlingException")
    with pytest.raises(NothingStoredError, match=r"Throttled \(3\)"):
        handler(event(*bodies(3)), Context(remaining_ms=600))
    assert counts()["RecommendationPersistenceFailure"] == 3


@pytest.mark.parametrize("most", [1, 7, 12, 24])
def test_request_that_is_too_large_is_split_until_it_fits(server: AwsServer, most: int) -> None:
    """A gateway may respond with HTTP 413 because its limit is lower than DynamoDB's."""
    server.most_items = most
    assert handler(event(*bodies(25)), Context()) == {"batchItemFailures": []}
    assert len(server.items) == 25
    assert not server.dead_letters


def test_item_that_is_too_large_alone_is_dead_lettered(server: AwsServer, counts: Counts) -> None:
    """A retry would not make it smaller, and an ordinary one would pass."""
    server.most_characters = 10_000
    texts = [body(reasoning="x" * 10_000, retention=None)]
    assert handler(event(*texts), Context()) == {"batchItemFailures": []}
    assert server.bodies() == texts
    assert counts()["RecommendationDeadLettered"] == 1
    assert not server.items


def test_gateway_that_refuses_any_size_makes_no_dead_letters(server: AwsServer) -> None:
    """It would refuse an ordinary item too, so the message is not at fault."""
    server.most_characters = 0
    with pytest.raises(NothingStoredError, match=r"ItemRejected \(1\); nor did the table accept an ordinary one: 413"):
        handler(event(*bodies(1)), Context())
    assert not server.dead_letters


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "MissingAuthenticationTokenException",
        "KMS.DisabledException",
        "SomethingNew",
    ],
)
def test_systemic_failure_raises_at_once_and_recovers_without_a_restart(
    server: AwsServer, counts: Counts, code: str
) -> None:
    """It makes one request and no dead letter, and the sandbox's next invocation stores the redelivered messages."""
    server.table.faults.append(dynamodb_error(code))
    messages = event(*bodies(3), "poison")
    with pytest.raises(NothingStoredError, match=rf"None of the batch's recommendations could be stored: {code} \(3\)"):
        handler(messages, Context())
    assert len(server.table.requests) == 1
    assert not server.dead_letters
    assert counts()["RecommendationPersistenceFailure"] == 3
    assert handler(messages, Context()) == {"batchItemFailures": []}
    assert len(server.items) == 3
    assert server.bodies() == ["poison"]


QUEUE_FAULTS: list[Any] = [
    pytest.param(sqs_error("RequestThrottled"), id="throttled"),
    pytest.param(sqs_error("AccessDeniedException", 403), id="denied"),
    pytest.param(sqs_error("AWS.SimpleQueueService.NonExistentQueue"), id="gone"),
    pytest.param(sqs_error("KMS.DisabledException"), id="key disabled"),
    pytest.param(sqs_error("KMS.ThrottlingException"), id="key throttled"),
    pytest.param(sqs_error("InternalError", 500), id="500"),
    pytest.param(RESET, id="reset"),
]


@pytest.mark.parametrize("fault", QUEUE_FAULTS)
def test_failing_dead_letter_queue_leaves_poison_to_the_redrive_policy(
    server: AwsServer, counts: Counts, fault: Fault
) -> None:
    """The poison is named; stored messages are not redelivered with it."""
    server.queue.last = fault
    texts = [*bodies(3), "poison", "{}"]
    assert named(handler(event(*texts), Context())) == ["m3", "m4"]
    assert len(server.items) == 3
    counted = counts()
    assert counted["RecommendationsPersisted"] == 3
    assert counted["RecommendationPersistenceFailure"] == 2
    assert "RecommendationDeadLettered" not in counted


def test_dead_letter_queue_that_fails_once_is_retried(server: AwsServer) -> None:
    """The client sends the whole request again."""
    server.queue.faults.append(sqs_error("InternalError", 500))
    assert handler(event("poison"), Context()) == {"batchItemFailures": []}
    assert server.bodies() == ["poison"]


def test_only_the_dead_letters_that_failed_are_named(server: AwsServer) -> None:
    """A response with HTTP 200 may contain failed entries."""
    server.refused_bodies = {"refused"}
    assert named(handler(event("poison", "refused", *bodies(2)), Context())) == ["m1"]
    assert server.bodies() == ["poison"]


def test_dead_letter_whose_confirmation_is_lost_is_sent_twice(server: AwsServer) -> None:
    """That is better than not at all."""
    server.queue.faults.append(LOSE)
    assert handler(event("poison"), Context()) == {"batchItemFailures": []}
    assert server.bodies() == ["poison", "poison"]


def test_item_is_the_same_after_a_lost_response(server: AwsServer) -> None:
    """The retry writes the same bytes again."""
    server.table.faults.append(LOSE)
    handler(event(*bodies(1)), Context())
    first, second = server.table.requests
    assert first == second
    item = encode_item(envelope_of("agent-0", retention=None).to_fields())
    assert server.items[item.recommendation_id] == json.loads(item.body)
