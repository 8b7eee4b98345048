"""The real handler and the real client against failures over HTTP: what is retried, and whose fate is what."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from recommendation_consumer.handler import handler
from recommendation_consumer.invocation import NothingStoredError
from recommendation_shared.item.encoding import encode_item
from tests.support.lambdas.event import Context, event, named
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

INDEX = "arn:aws:dynamodb:us-east-1:123456789012:table/recommendations/index/incidentId-timestamp-index"


def bodies(count: int) -> list[str]:
    """Make bodies that never expire: here the clock is the real one."""
    return bodies_of(count, retention=None)


def of_an_index(code: str) -> Answer:
    """Return throttling of an index, as DynamoDB explains it since 2025."""
    reasons = [{"reason": "IndexWriteKeyRangeThroughputExceeded", "resource": INDEX}]
    return dynamodb_error(code, message="Throughput exceeds the limit", throttlingReasons=reasons)


@pytest.fixture(scope="module")
def warm() -> Iterator[AwsServer]:
    """Start a server and one sandbox for all: each failure must leave it fit for the next."""
    with aws_server() as running, lambda_sandbox(running.url, running.dlq_url):
        yield running


@pytest.fixture
def server(warm: AwsServer) -> AwsServer:
    """Begin healthy and empty."""
    warm.reset()
    return warm


@pytest.fixture
def counts(capsys: pytest.CaptureFixture[str]) -> Any:
    """Sum the metrics that have no dimensions, since the last call."""

    def read() -> dict[str, float]:
        sums: dict[str, float] = {}
        for line in map(json.loads, capsys.readouterr().out.splitlines()):
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"] if "_aws" in line else ():
                sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(line[metric["Name"]])
        return sums

    return read


PASSING: list[Any] = [
    pytest.param(RESET, id="connection reset"),
    pytest.param(LOSE, id="answer lost after the write"),
    pytest.param(dynamodb_error("InternalServerError", 500), id="500"),
    pytest.param(Answer(503, b"<html>busy</html>"), id="503 with a page"),
    pytest.param(Answer(502, b""), id="502 without a body"),
    pytest.param(Answer(200, b"<html>a proxy</html>"), id="200 that is not DynamoDB's"),
    pytest.param(Answer(200, b""), id="200 without a body"),
    pytest.param(Answer(200, b'{"UnprocessedItems":{}}', (("x-amz-crc32", "1"),)), id="damaged answer"),
    pytest.param(dynamodb_error("TransactionInProgressException"), id="transaction in progress"),
    pytest.param(dynamodb_error("ReplicatedWriteConflictException"), id="replicated write conflict"),
]


@pytest.mark.parametrize("fault", PASSING)
def test_transient_failure_is_retried_within_the_invocation(server: AwsServer, counts: Any, fault: Fault) -> None:
    """SQS never hears of it."""
    server.table.faults.extend([fault, fault])
    assert handler(event(*bodies(3)), Context()) == {"batchItemFailures": []}
    assert len(server.table.requests) == 3
    assert len(server.items) == 3
    assert "RecommendationPersistenceFailure" not in counts()


@pytest.mark.parametrize("fault", PASSING)
def test_lasting_failure_raises_after_three_attempts(server: AwsServer, counts: Any, fault: Fault) -> None:
    """The queue keeps the messages better than a function that waits."""
    server.table.last = fault
    with pytest.raises(NothingStoredError, match="None of 3"):
        handler(event(*bodies(3)), Context())
    assert len(server.table.requests) == 3
    assert counts()["RecommendationPersistenceFailure"] == 3


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(dynamodb_error("ProvisionedThroughputExceededException"), id="table, provisioned"),
        pytest.param(of_an_index("ProvisionedThroughputExceededException"), id="index, provisioned"),
        pytest.param(of_an_index("ThrottlingException"), id="index, on demand"),
        pytest.param(dynamodb_error("ThrottlingException"), id="table, on demand"),
        pytest.param(dynamodb_error("RequestLimitExceeded"), id="account"),
        pytest.param(Answer(429, b""), id="gateway"),
    ],
)
def test_throttling_is_waited_out_and_counted(server: AwsServer, counts: Any, fault: Fault) -> None:
    """Of the table, an index or the account: all alike."""
    server.table.faults.extend([fault] * 4)
    assert handler(event(*bodies(3)), Context()) == {"batchItemFailures": []}
    assert len(server.table.requests) == 5
    assert len(server.items) == 3
    assert counts()["RecommendationPersistenceThrottled"] == 12


def test_index_throttled_until_the_deadline_raises(server: AwsServer, counts: Any) -> None:
    """As throttling, whatever its reasons are."""
    server.table.last = of_an_index("ThrottlingException")
    with pytest.raises(NothingStoredError, match=r"Throttled \(3\)"):
        handler(event(*bodies(3)), Context(remaining_ms=600))
    assert counts()["RecommendationPersistenceFailure"] == 3


@pytest.mark.parametrize("most", [1, 7, 12, 24])
def test_request_that_is_too_large_is_split_until_it_fits(server: AwsServer, most: int) -> None:
    """HTTP 413: our count of bytes may be right, and a gateway's limit lower."""
    server.most_items = most
    assert handler(event(*bodies(25)), Context()) == {"batchItemFailures": []}
    assert len(server.items) == 25
    assert not server.dead_letters


def test_item_that_is_too_large_alone_is_dead_lettered(server: AwsServer, counts: Any) -> None:
    """No retry makes it smaller."""
    server.most_items = 0
    assert handler(event(*bodies(1)), Context()) == {"batchItemFailures": []}
    assert server.bodies() == bodies(1)
    assert counts()["RecommendationDeadLettered"] == 1


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
    server: AwsServer, counts: Any, code: str
) -> None:
    """One request, no dead letter, and the next invocation of the same sandbox stores what came back."""
    server.table.faults.append(dynamodb_error(code))
    messages = event(*bodies(3), "poison")
    with pytest.raises(NothingStoredError, match=rf"None of 3 recommendations could be stored: {code} \(3\)"):
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
    server: AwsServer, counts: Any, fault: Fault
) -> None:
    """By name; what was stored does not come back with it."""
    server.queue.last = fault
    texts = [*bodies(3), "poison", "{}"]
    assert named(handler(event(*texts), Context())) == ["m3", "m4"]
    assert len(server.items) == 3
    told = counts()
    assert told["RecommendationsPersisted"] == 3
    assert told["RecommendationPersistenceFailure"] == 2
    assert "RecommendationDeadLettered" not in told


def test_dead_letter_queue_that_fails_once_is_retried(server: AwsServer) -> None:
    """By the client, which sends the whole request a second time."""
    server.queue.faults.append(sqs_error("InternalError", 500))
    assert handler(event("poison"), Context()) == {"batchItemFailures": []}
    assert server.bodies() == ["poison"]


def test_only_the_dead_letters_that_failed_are_named(server: AwsServer) -> None:
    """An HTTP 200 may hold failures."""
    server.refused_bodies = {"refused"}
    assert named(handler(event("poison", "refused", *bodies(2)), Context())) == ["m1"]
    assert server.bodies() == ["poison"]


def test_dead_letter_whose_confirmation_is_lost_is_sent_twice(server: AwsServer) -> None:
    """Better than not at all."""
    server.queue.faults.append(LOSE)
    assert handler(event("poison"), Context()) == {"batchItemFailures": []}
    assert server.bodies() == ["poison", "poison"]


def test_item_is_the_same_after_a_lost_response(server: AwsServer) -> None:
    """What was written unseen is written again, byte for byte."""
    server.table.faults.append(LOSE)
    handler(event(*bodies(1)), Context())
    first, second = server.table.requests
    assert first == second
    item = encode_item(envelope_of("agent-0", retention=None).to_fields())
    assert server.items[item.recommendation_id] == json.loads(item.body)
