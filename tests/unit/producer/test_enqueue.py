"""`enqueue`: what it accepts and refuses, and that it never hurts its caller."""

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from recommendation_producer import Outcome, RecommendationProducer
from recommendation_shared import limits
from recommendation_shared.envelope import Envelope
from recommendation_shared.item.shrink import shrink
from tests.support.fakes.queue import (
    NOTHING_HANGS,
    QUEUE_URL,
    BlackHole,
    FakeQueue,
    balanced,
    recommendation,
    running_producer,
)

pytestmark = pytest.mark.usefixtures("either_writer")

MIB = 1_048_576


class Hostile(Mapping[str, Any]):
    """An agent's output that raises whenever it is used."""

    def __getitem__(self, key: str) -> Any:
        """Raise."""
        raise RuntimeError(key)

    def __iter__(self) -> Iterator[str]:
        """Raise."""
        raise RuntimeError

    def __len__(self) -> int:
        """Raise."""
        raise RuntimeError


def test_accepted_envelope_has_its_id_and_arrives_unchanged() -> None:
    """Every argument of `enqueue` reaches the envelope."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        outcome = producer.enqueue(
            incident_id="incident-123",
            execution_id="execution-9",
            agent_type="signal-intelligence",
            timestamp=datetime(2026, 1, 31, 12, tzinfo=UTC),
            recommendation={"action": "roll back"},
            confidence=0.87,
            reasoning="Zürich",
            citations=[{"id": "runbook"}],
            metadata={"agentVersion": "1"},
            retention=30,
        )
        assert producer.flush(NOTHING_HANGS).sent == 1
    assert outcome == Outcome(
        accepted=True, reason=None, recommendation_id="rec-incident-123-signal-intelligence-2026-01-31T12:00:00Z"
    )
    envelope = Envelope.from_json(queue.arrived[0])
    assert envelope.recommendation_id == outcome.recommendation_id
    assert envelope.to_fields() == {
        "schemaVersion": 1,
        "recommendationId": "rec-incident-123-signal-intelligence-2026-01-31T12:00:00Z",
        "incidentId": "incident-123",
        "executionId": "execution-9",
        "agentType": "signal-intelligence",
        "timestamp": "2026-01-31T12:00:00.000000Z",
        "recommendation": {"action": "roll back"},
        "confidence": 0.87,
        "reasoning": "Zürich",
        "citations": [{"id": "runbook"}],
        "metadata": {"agentVersion": "1"},
        "retention": 30,
    }


def test_mutation_after_enqueue_is_not_visible() -> None:
    """The envelope is a snapshot of its arguments."""
    queue = FakeQueue()
    findings = {"steps": ["look"]}
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation(recommendation=findings))
        findings["steps"].append("touch")
        findings["more"] = []
        producer.flush(NOTHING_HANGS)
    assert json.loads(queue.arrived[0])["recommendation"] == {"steps": ["look"]}


def test_metadata_that_raises_when_it_is_read_costs_no_recommendation() -> None:
    """It is marked in its place, as at any depth."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        assert producer.enqueue(**recommendation(metadata=Hostile())).accepted
        producer.flush(NOTHING_HANGS)
    (mark,) = json.loads(queue.arrived[0])["metadata"]["notRepresented"]
    assert mark["path"] == "/metadata"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"no_such_argument": 1},
        recommendation(incident_id=""),
        recommendation(incident_id=None),
        recommendation(incident_id="line\nbreak"),
        recommendation(agent_type="Not Kebab"),
        recommendation(timestamp="yesterday"),
        recommendation(timestamp=None),
        recommendation(recommendation=[1]),
        recommendation(citations=["text"]),
        recommendation(retention=-1),
    ],
)
def test_invalid_envelope_is_refused_and_counted(fields: dict[str, Any]) -> None:
    """The caller gets an outcome, never an exception."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        outcome = producer.enqueue(**fields)
        balance = producer.balance
    assert (outcome.accepted, outcome.reason, outcome.recommendation_id) == (False, "invalid", None)
    assert (balance.accepted, balance.dropped) == (1, {"invalid": 1})
    assert queue.calls == []


def test_detail_of_a_refusal_names_the_field_and_never_the_value() -> None:
    """The host can safely log it."""
    with running_producer(FakeQueue()) as producer:
        outcome = producer.enqueue(**recommendation(agent_type="Secret Agent"))
    assert outcome.detail is not None
    assert "agentType" in outcome.detail
    assert "Secret" not in outcome.detail


def test_circular_output_is_sent_with_the_circle_marked() -> None:
    """JSON cannot represent it, and the rest is worth keeping."""
    queue = FakeQueue()
    circular: dict[str, Any] = {"action": "roll back"}
    circular["self"] = circular
    with running_producer(queue) as producer:
        assert producer.enqueue(**recommendation(recommendation=circular)).accepted
        producer.flush(NOTHING_HANGS)
    fields = json.loads(queue.arrived[0])
    assert fields["recommendation"] == {"action": "roll back", "self": "<circular reference>"}
    assert fields["metadata"]["notRepresented"] == [{"path": "/recommendation/self", "text": "<circular reference>"}]


def test_full_buffer_drops_the_newest_without_waiting() -> None:
    """The limit is a count that includes envelopes in flight."""
    hole = BlackHole()
    with running_producer(hole, max_items=3, max_age=0.0) as producer:
        outcomes = [producer.enqueue(**recommendation(number)) for number in range(3)]
        assert hole.asked.wait(NOTHING_HANGS)
        outcomes.append(producer.enqueue(**recommendation(3)))
        balance = producer.balance
    assert [outcome.accepted for outcome in outcomes] == [True, True, True, False]
    assert outcomes[-1].reason == "buffer_full"
    assert outcomes[-1].recommendation_id is not None
    assert (balance.accepted, balance.pending, balance.dropped) == (4, 3, {"buffer_full": 1})


def test_buffer_is_bounded_by_bytes_too() -> None:
    """A few large envelopes fill it as well."""
    with running_producer(BlackHole(), max_bytes=10_000) as producer:
        big = {"text": "x" * 4_000}
        outcomes = [producer.enqueue(**recommendation(number, recommendation=big)) for number in range(3)]
    assert [outcome.reason for outcome in outcomes] == [None, None, "buffer_full"]


def test_sending_envelopes_makes_room_for_others() -> None:
    """The limits apply to what the buffer holds, not to everything it ever held."""
    queue = FakeQueue()
    with running_producer(queue, max_items=2) as producer:
        for number in range(6):
            assert producer.enqueue(**recommendation(number)).accepted
            if number % 2:
                producer.flush(NOTHING_HANGS)
        assert producer.balance.sent == 6


def test_threads_never_exceed_the_bound_and_lose_no_count() -> None:
    """Checking the bound and appending are one atomic step."""
    with running_producer(BlackHole(), max_items=50) as producer:
        outcomes: list[Outcome] = []

        def enqueue_many(first: int) -> None:
            outcomes.extend(producer.enqueue(**recommendation(first + number)) for number in range(100))

        threads = [threading.Thread(target=enqueue_many, args=(100 * number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        balance = producer.balance
    assert sum(outcome.accepted for outcome in outcomes) == 50
    assert (balance.accepted, balance.pending, balance.dropped) == (400, 50, {"buffer_full": 350})


def test_enqueue_writes_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Logging would cost the caller more than the enqueue itself."""
    caplog.set_level(logging.DEBUG)
    with running_producer(BlackHole(), max_items=1, max_age=60.0) as producer:
        for fields in (recommendation(1), recommendation(2), {}):
            producer.enqueue(**fields)
        here = threading.current_thread().name
        assert [
            record
            for record in caplog.records
            if record.threadName == here and record.name == "recommendation_producer"
        ] == []


def test_900_kb_recommendation_is_sent_whole() -> None:
    """SQS takes 1 MiB; the consumer trims items to the table's limit."""
    queue = FakeQueue()
    findings = {"log": "x" * 900_000}
    with running_producer(queue) as producer:
        assert producer.enqueue(**recommendation(recommendation=findings)).accepted
        assert producer.flush(NOTHING_HANGS).sent == 1
    assert json.loads(queue.arrived[0])["recommendation"] == findings


def test_body_over_1_mib_is_trimmed_rather_than_lost() -> None:
    """The metadata lists what was cut."""
    queue = FakeQueue()
    with running_producer(queue) as producer:
        outcome = producer.enqueue(**recommendation(reasoning="é" * MIB))
        assert outcome.accepted
        producer.flush(NOTHING_HANGS)
    envelope = Envelope.from_json(queue.arrived[0])
    assert envelope.recommendation_id == outcome.recommendation_id
    assert envelope.recommendation == {"number": 0}
    assert envelope.metadata["truncated"][0]["bytes"] == 2 * MIB
    assert len(queue.arrived[0].encode()) < limits.SQS_REQUEST_BYTES


def test_body_that_trimming_cannot_help_is_too_large() -> None:
    """As JSON, 400 KB of control characters take 2.4 MB."""
    queue = FakeQueue()
    with running_producer(queue, max_age=60.0) as producer:
        assert producer.enqueue(**recommendation(0, reasoning="\x01" * MIB)).accepted
        assert producer.enqueue(**recommendation(1)).accepted
        balance = producer.flush(NOTHING_HANGS)
    assert (balance.sent, balance.dropped, balance.pending) == (1, {"too_large": 1}, 0)
    assert len(queue.calls) == 1


def test_large_body_is_not_trimmed_on_the_callers_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """With many small values, such as 100,000 numbers, that takes seconds."""
    threads = []

    def noting(body: bytes) -> bytes:
        threads.append(threading.current_thread())
        return shrink(body)

    monkeypatch.setattr("recommendation_shared.item.shrink.shrink", noting)
    queue = FakeQueue()
    with running_producer(queue) as producer:
        assert producer.enqueue(**recommendation(reasoning="x" * 2 * MIB)).accepted
        producer.flush(NOTHING_HANGS)
    assert [thread.name for thread in threads] == ["recommendation-sender"]
    assert len(queue.arrived) == 1


def test_large_body_counts_toward_the_bytes_of_the_buffer() -> None:
    """Whole, until the sender has trimmed it."""
    with running_producer(BlackHole(), max_bytes=3 * MIB) as producer:
        outcomes = [producer.enqueue(**recommendation(number, reasoning="x" * 2 * MIB)) for number in range(2)]
        assert [outcome.reason for outcome in outcomes] == [None, "buffer_full"]


def test_redact_changes_what_is_sent_and_not_what_the_host_holds() -> None:
    """It works on a copy."""
    queue = FakeQueue()
    findings = {"user": {"mail": "a@example.com"}}

    def redact(fields: dict[str, Any]) -> dict[str, Any]:
        fields["recommendation"]["user"]["mail"] = "***"
        return {**fields, "reasoning": ""}

    with running_producer(queue, redact=redact) as producer:
        assert producer.enqueue(**recommendation(recommendation=findings, reasoning="a@example.com")).accepted
        producer.flush(NOTHING_HANGS)
    assert findings == {"user": {"mail": "a@example.com"}}
    assert "a@example.com" not in queue.arrived[0]
    assert json.loads(queue.arrived[0])["recommendation"] == {"user": {"mail": "***"}}


@pytest.mark.parametrize("result", [None, "text"])
def test_redact_that_returns_no_mapping_drops_the_envelope(result: object) -> None:
    """A missing `return` statement must not send the envelope raw."""
    with running_producer(FakeQueue(), redact=lambda _: result) as producer:
        outcome = producer.enqueue(**recommendation())
        assert producer.balance.dropped == {"redact_failed": 1}
    assert outcome.reason == "redact_failed"


def test_envelope_is_dropped_and_never_sent_raw_when_redact_raises() -> None:
    """The outcome names the type of the exception, not its message."""

    def redact(fields: dict[str, Any]) -> dict[str, Any]:
        raise KeyError(fields["reasoning"])

    queue = FakeQueue()
    with running_producer(queue, redact=redact) as producer:
        outcome = producer.enqueue(**recommendation(reasoning="secret"))
        assert producer.flush(NOTHING_HANGS).dropped == {"redact_failed": 1}
    assert outcome.detail == "redact raised KeyError"
    assert queue.calls == []


def test_retention_of_the_producer_applies_to_envelopes_that_set_none() -> None:
    """An explicit None keeps the item indefinitely."""
    queue = FakeQueue()
    with running_producer(queue, retention=7) as producer:
        producer.enqueue(**recommendation(0))
        producer.enqueue(**recommendation(1, retention=None))
        producer.flush(NOTHING_HANGS)
    assert [json.loads(body)["retention"] for body in queue.arrived] == [7, None]


def test_from_env_reads_queue_and_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    """It also takes the constructor's options."""
    monkeypatch.setenv("RECOMMENDATIONS_QUEUE_URL", QUEUE_URL)
    monkeypatch.setenv("RETENTION_DAYS", "12")
    queue = FakeQueue()
    producer = RecommendationProducer.from_env(client_factory=queue.client)
    producer.enqueue(**recommendation())
    assert producer.flush(NOTHING_HANGS).sent == 1
    producer.close()
    assert json.loads(queue.arrived[0])["retention"] == 12


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "RECOMMENDATIONS_QUEUE_URL"),
        ({"RECOMMENDATIONS_QUEUE_URL": f"{QUEUE_URL}\n"}, "without blanks or quotes"),
        ({"RECOMMENDATIONS_QUEUE_URL": f'"{QUEUE_URL}"'}, "without blanks or quotes"),
        ({"RECOMMENDATIONS_QUEUE_URL": QUEUE_URL, "AWS_REGION": "eu-central-1"}, "the queue is in us-east-1"),
    ],
)
def test_missing_configuration_never_breaks_the_host(
    environment: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The problem is logged once, and every envelope is counted."""
    monkeypatch.delenv("RECOMMENDATIONS_QUEUE_URL", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    producer = RecommendationProducer.from_env()
    outcomes = [producer.enqueue(**recommendation(number)) for number in range(3)]
    balance = producer.flush(NOTHING_HANGS)
    assert {outcome.reason for outcome in outcomes} == {"not_configured"}
    assert all(named in str(outcome.detail) for outcome in outcomes)
    assert balance.dropped == {"not_configured": 3}
    assert balanced(balance)
    assert [named in record.getMessage() for record in caplog.records] == [True]


def test_arguments_of_wrong_types_are_refused_without_an_exception() -> None:
    """The signature is for type checkers and is not enforced by raising."""
    with running_producer(FakeQueue()) as producer:
        assert producer.enqueue(**cast("dict[str, Any]", {"incident_id": object(), "timestamp": 3})).reason == "invalid"


def test_settings_that_the_producer_does_not_need_cost_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong retention is logged and replaced by the default; the consumer's settings are not even read."""
    for name, value in {
        "RECOMMENDATIONS_QUEUE_URL": QUEUE_URL,
        "RETENTION_DAYS": "90d",
        "INCIDENT_METRICS": " true ",
        "RECOMMENDATIONS_TABLE": "arn:aws:dynamodb:us-east-1:123456789012:table/recommendations",
    }.items():
        monkeypatch.setenv(name, value)
    queue = FakeQueue()
    producer = RecommendationProducer.from_env(client_factory=queue.client)
    producer.enqueue(**recommendation())
    assert producer.close(NOTHING_HANGS).sent == 1
    assert json.loads(queue.arrived[0])["retention"] == 90
    assert ["RETENTION_DAYS" in record.getMessage() for record in caplog.records] == [True]
