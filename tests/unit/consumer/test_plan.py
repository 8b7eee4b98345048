"""The plan for each kind of message."""

import json
from typing import Any

import pytest

from recommendation_consumer.message import Message, read_messages
from recommendation_consumer.plan import Plan, planned_puts
from recommendation_consumer.request import Put
from recommendation_shared.item.encoding import encode_item
from tests.support.lambdas.event import COMPLETED, bodies, body, envelope, event, record

NOW = COMPLETED.timestamp() + 1
DAY = 86_400


def _plan_event(messages: Any, now: float = NOW) -> tuple[Plan, list[Put]]:
    plan = Plan()
    return plan, list(planned_puts(plan, read_messages(messages), now, lambda: False))


def _plan(*texts: object, now: float = NOW) -> Plan:
    return _plan_event(event(*texts), now)[0]


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


@pytest.mark.parametrize(("age_days", "expired"), [(89, False), (90, True), (91, True)])
def test_expired_recommendation_is_not_written(age_days: int, expired: bool) -> None:
    """DynamoDB would only delete it again."""
    planned = _plan(body(), now=COMPLETED.timestamp() + age_days * DAY)
    assert (len(planned.expired), len(planned.writes)) == (expired, not expired)


def test_recommendation_with_null_retention_never_expires() -> None:
    """Its item has no ttl."""
    assert len(_plan(body(retention=None), now=COMPLETED.timestamp() + 40_000 * DAY).writes) == 1


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
    assert len(list(planned_puts(plan, messages, NOW, lambda: False))) == 1
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
    puts = planned_puts(plan, messages, NOW, lambda: next(lateness))
    assert next(puts).item.recommendation_id in plan.writes
    assert len(plan.writes) == 1
    assert len(list(puts)) == 1
    assert [message.message_id for message in plan.unread] == ["m2", "m3"]
    assert not plan.poison
