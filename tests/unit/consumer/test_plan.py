"""The plan for each kind of message."""

import json
from typing import Any

import pytest

from recommendation_consumer.message import Message, read_messages
from recommendation_consumer.plan import Plan, planned_puts
from recommendation_consumer.request import Put
from recommendation_shared.item.encoding import encode_item, item_digest
from recommendation_shared.item.standings import Standings
from tests.support.lambdas.event import COMPLETED, bodies, body, envelope, event, record

DAY = 86_400
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def _plan_event(messages: Any) -> tuple[Plan, list[Put]]:
    plan = Plan()
    return plan, list(planned_puts(plan, read_messages(messages), lambda: False, Standings()))


def _plan(*texts: object) -> Plan:
    return _plan_event(event(*texts))[0]


def _times(sent_days: float, received_days: float) -> dict[str, Any]:
    """Return the times of a message sent and first received so many days after the agent completed."""
    sent, received = (round((COMPLETED.timestamp() + days * DAY) * 1000) for days in (sent_days, received_days))
    return {"SentTimestamp": str(sent), "ApproximateFirstReceiveTimestamp": str(received)}


def test_each_recommendation_is_one_write() -> None:
    """The write holds what metrics and logs need, and the put holds the item."""
    planned, puts = _plan_event(event(*bodies(3)))
    assert len(planned.writes) == 3
    write = planned.writes[envelope("agent-1").recommendation_id]
    assert puts == [Put(encode_item(envelope(f"agent-{number}").to_fields())) for number in range(3)]
    assert (write.incident_id, write.execution_id, write.agent_type) == ("incident-123", "execution-1", "agent-1")
    assert not planned.poison
    assert not planned.expired
    assert not planned.failures


def test_equal_recommendations_share_one_write() -> None:
    """Even if the keys of their JSON are in a different order."""
    reordered = json.dumps(dict(reversed(json.loads(body()).items())))
    planned = _plan(body(), reordered, body())
    (write,) = planned.writes.values()
    assert [message.message_id for message in write.messages] == ["m0", "m1", "m2"]


def test_earliest_message_wins_if_contents_conflict() -> None:
    """The order of arrival does not matter."""
    records = [record("late", body(reasoning="b"), 2_000), record("early", body(reasoning="a"), 1_000)]
    planned, puts = _plan_event({"Records": records})
    assert puts == [Put(encode_item(envelope(reasoning="a").to_fields()))]
    ((message, reason, detail),) = planned.poison
    assert (message.message_id, reason) == ("late", "IdConflict")
    assert detail == "recommendationId: message early, sent earlier, has different content under the same ID"


@pytest.mark.parametrize("arrival", [("a", "b"), ("b", "a")])
def test_same_message_wins_at_every_delivery_if_sent_at_the_same_time(arrival: tuple[str, str]) -> None:
    """The ten messages of a request are sent in the same millisecond, and SQS does not deliver in order."""
    records = [record(name, body(reasoning=name), 1_000) for name in arrival]
    planned, _ = _plan_event({"Records": records})
    assert [poison.message.message_id for poison in planned.poison] == ["b"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "InvalidJson"),
        ("[]", "InvalidEnvelope"),
        (body().replace('"reasoning":""', '"reasoning":7'), "InvalidEnvelope"),
        (body().replace("incident-123", "incident-124", 1), "IdMismatch"),
    ],
)
def test_poison_does_not_hold_back_its_neighbours(text: str, reason: str) -> None:
    """The valid messages around it are planned."""
    planned = _plan(body("agent-a"), text, body("agent-b"))
    assert len(planned.writes) == 2
    assert [(poison.message.message_id, poison.reason) for poison in planned.poison] == [("m1", reason)]


def test_newer_schema_version_is_left_for_sqs_to_redeliver() -> None:
    """The next deployment may support it."""
    planned = _plan(body().replace('"schemaVersion":1', '"schemaVersion":2'), body())
    assert planned.failures == {"m0": "UnknownSchemaVersion"}
    assert len(planned.writes) == 1


@pytest.mark.parametrize(
    ("sent", "received", "outcome"),
    [
        (0, 89, "written"),
        (0, 90, "expired"),
        (89, 91, "expired"),
        (90, 90, "poison"),
        (91, 92, "poison"),
        (20_000, 20_000, "poison"),
    ],
)
def test_recommendation_past_its_ttl_is_not_written(sent: float, received: float, outcome: str) -> None:
    """One that expired while it waited needs no storing; one that was sent expired shows that a clock is wrong."""
    planned, puts = _plan_event({"Records": [record("m0", body(), **_times(sent, received))]})
    assert {"written": len(puts), "expired": len(planned.expired), "poison": len(planned.poison)} == {
        "written": 0,
        "expired": 0,
        "poison": 0,
        outcome: 1,
    }
    assert [poison.reason for poison in planned.poison] == ["Expired"] * (outcome == "poison")


def test_message_whose_times_are_unknown_is_written() -> None:
    """DynamoDB deletes it if it has expired, whereas nobody could bring it back."""
    messages = event(body(timestamp="1970-01-01T00:00:00Z"))
    messages["Records"][0]["attributes"] = {}
    assert len(_plan_event(messages)[1]) == 1


def test_trace_header_is_stored_unless_the_envelope_has_one() -> None:
    """It is not part of the digest, so one output that two invocations send is still one recommendation."""
    traced = record("m0", body(), AWSTraceHeader=TRACE)
    _, ((item, _),) = _plan_event({"Records": [traced, record("m1", body(), 1_769_860_800_001)]})
    assert json.loads(item.body)["metadata"] == {"M": {"awsTraceHeader": {"S": TRACE}}}
    assert item.digest == encode_item(envelope().to_fields()).digest == item_digest(json.loads(item.body))
    own = record("m0", body(metadata={"awsTraceHeader": "Root=own"}), AWSTraceHeader=TRACE)
    _, ((item, _),) = _plan_event({"Records": [own]})
    assert json.loads(item.body)["metadata"] == {"M": {"awsTraceHeader": {"S": "Root=own"}}}


@pytest.mark.parametrize(
    ("wrapped", "service"),
    [
        ({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": body()}, "Amazon SNS"),
        ({"version": "0", "detail-type": "r", "source": "executor", "detail": {}}, "Amazon EventBridge event"),
        ({"messageId": "m", "body": body(), "eventSource": "aws:sqs"}, "Amazon EventBridge Pipes"),
        ({"eventID": "1", "eventSource": "aws:dynamodb", "dynamodb": {}}, "Amazon EventBridge Pipes"),
    ],
)
def test_wrapped_message_is_poison_that_names_its_wrapper(wrapped: dict[str, Any], service: str) -> None:
    """Whoever reads the dead letter must learn what to change, and not that eleven fields are missing."""
    ((_, reason, detail),) = _plan(json.dumps(wrapped)).poison
    assert reason == "InvalidEnvelope"
    assert service in detail
    assert "raw message delivery is needed" in detail
    assert "schemaVersion" not in detail


@pytest.mark.parametrize("text", ["7", "[]", "{", '{"Type":7}', '{"eventSource":"own"}', '{"source":"a","detail":1}'])
def test_other_poison_is_not_called_wrapped(text: str) -> None:
    """Its own rule is the better hint."""
    ((_, _, detail),) = _plan(text).poison
    assert "wraps" not in detail
    assert "Pipes" not in detail


def test_recommendation_with_null_retention_never_expires() -> None:
    """Its item has no ttl."""
    assert len(_plan_event({"Records": [record("m0", body(retention=None), **_times(20_000, 20_001))]})[1]) == 1


def test_retention_defaults_to_90_days() -> None:
    """The contract sets the default, not a setting, because a redelivered message must give the same item."""
    fields = json.loads(body())
    del fields["retention"]
    _, ((item, _),) = _plan_event(event(json.dumps(fields)))
    assert item.expires_at == COMPLETED.timestamp() + 90 * DAY


def test_message_without_a_body_is_left_to_the_redrive_policy() -> None:
    """SQS would reject it as a dead letter, too."""
    planned = _plan(None, body())
    assert planned.failures == {"m0": "NoBody"}
    assert len(planned.writes) == 1


class _Unreadable(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise RecursionError(encoding, errors)


def test_unexpected_error_costs_one_message() -> None:
    """The rest of the batch is planned."""
    plan, messages = Plan(), [Message("m0", _Unreadable("{}"), 0, ""), *read_messages(event(body()))]
    assert len(list(planned_puts(plan, messages, lambda: False, Standings()))) == 1
    assert plan.failures == {"m0": "RecursionError"}


def test_redelivered_message_is_guarded() -> None:
    """The earliest message decides; one that is delivered for the first time may overwrite."""
    records = [record("first", body("agent-a"), 1_000), record("again", body("agent-a"), 2_000)]
    records[1]["attributes"]["ApproximateReceiveCount"] = "2"
    assert [put.guarded for put in _plan_event({"Records": records})[1]] == [False]
    assert [put.guarded for put in _plan_event({"Records": records[1:]})[1]] == [True]


def test_messages_after_the_deadline_are_not_read() -> None:
    """The deadline is checked before each message, because earlier items are written in the meantime."""
    plan, lateness = Plan(), iter([False, False, True, True])
    messages = read_messages(event(*bodies(2), "not JSON", *bodies(4)[3:]))
    puts = planned_puts(plan, messages, lambda: next(lateness), Standings())
    assert next(puts).item.recommendation_id in plan.writes
    assert len(plan.writes) == 1
    assert len(list(puts)) == 1
    assert [message.message_id for message in plan.unread] == ["m2", "m3"]
    assert not plan.poison
