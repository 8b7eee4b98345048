"""What is planned for each kind of message."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from recommendation_consumer import plan as plan_module
from recommendation_consumer.message import read_messages
from recommendation_consumer.plan import Plan, planned_puts
from recommendation_consumer.request import Put
from recommendation_shared.item.encoding import EncodedItem, encode_item
from tests.support.lambdas.event import COMPLETED, bodies, body, envelope, event, record

NOW = COMPLETED.timestamp() + 1
DAY = 86_400


def _plan_event(messages: Any, now: float = NOW) -> tuple[Plan, list[Put]]:
    plan = Plan()
    return plan, list(planned_puts(plan, read_messages(messages), now, lambda: False))


def _plan(*texts: object, now: float = NOW) -> Plan:
    return _plan_event(event(*texts), now)[0]


def test_each_recommendation_is_one_write() -> None:
    """With its item ready to be sent, and what metrics and logs say about it."""
    planned, puts = _plan_event(event(*bodies(3)))
    assert len(planned.writes) == 3
    write = planned.writes[envelope("agent-1").recommendation_id]
    assert puts == [Put(encode_item(envelope(f"agent-{number}").to_fields())) for number in range(3)]
    assert (write.incident_id, write.execution_id, write.agent_type) == ("incident-123", "execution-1", "agent-1")
    assert not planned.poison
    assert not planned.expired
    assert not planned.failures


def test_equal_recommendations_are_one_write_for_all_their_messages() -> None:
    """Whatever the order of the keys in their JSON."""
    reordered = json.dumps(dict(reversed(json.loads(body()).items())))
    planned = _plan(body(), reordered, body())
    (write,) = planned.writes.values()
    assert [message.message_id for message in write.messages] == ["m0", "m1", "m2"]


def test_of_two_contents_under_one_id_the_earliest_sent_stands() -> None:
    """Whatever the order of arrival."""
    records = [record("late", body(reasoning="b"), 2_000), record("early", body(reasoning="a"), 1_000)]
    planned, puts = _plan_event({"Records": records})
    assert puts == [Put(encode_item(envelope(reasoning="a").to_fields()))]
    ((message, reason, detail),) = planned.poison
    assert (message.message_id, reason) == ("late", "IdConflict")
    assert detail == "recommendationId: message early, sent earlier, has different content under the same ID"


@pytest.mark.parametrize("arrival", [("a", "b"), ("b", "a")])
def test_of_two_contents_sent_at_once_the_same_one_stands_at_every_delivery(arrival: tuple[str, str]) -> None:
    """A request of ten is sent within one millisecond, and SQS delivers in no particular order."""
    records = [record(name, body(reasoning=name), 1_000) for name in arrival]
    planned, _ = _plan_event({"Records": records})
    assert [one.message.message_id for one in planned.poison] == ["b"]


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
    """The good messages around it are planned."""
    planned = _plan(body("agent-a"), text, body("agent-b"))
    assert len(planned.writes) == 2
    assert [(one.message.message_id, one.reason) for one in planned.poison] == [("m1", reason)]


def test_a_newer_schema_version_is_left_to_be_retried() -> None:
    """The next deployment may know it."""
    planned = _plan(body().replace('"schemaVersion":1', '"schemaVersion":2'), body())
    assert planned.failures == {"m0": "UnknownSchemaVersion"}
    assert len(planned.writes) == 1


@pytest.mark.parametrize(("age_days", "expired"), [(89, False), (90, True), (91, True)])
def test_what_is_past_its_ttl_is_not_written(age_days: int, expired: bool) -> None:  # noqa: FBT001 - a table row
    """DynamoDB would only delete it again."""
    planned = _plan(body(), now=COMPLETED.timestamp() + age_days * DAY)
    assert (len(planned.expired), len(planned.writes)) == (expired, not expired)


def test_what_is_kept_for_ever_never_expires() -> None:
    """Retention null has no ttl."""
    assert len(_plan(body(retention=None), now=COMPLETED.timestamp() + 40_000 * DAY).writes) == 1


def test_an_envelope_that_does_not_say_is_kept_for_90_days() -> None:
    """By the contract and not by a setting: a redelivered message must make the same item."""
    fields = json.loads(body())
    del fields["retention"]
    _, ((item, _),) = _plan_event(event(json.dumps(fields)))
    assert item.expires_at == COMPLETED.timestamp() + 90 * DAY


def test_a_message_without_a_body_is_left_to_the_redrive_policy() -> None:
    """SQS would refuse it as a dead letter as well."""
    planned = _plan(None, body())
    assert planned.failures == {"m0": "NoBody"}
    assert len(planned.writes) == 1


def test_a_fault_in_the_codec_costs_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the batch."""

    def encode(wire: Mapping[str, Any]) -> EncodedItem:
        if wire["agentType"] == "agent-0":
            raise RecursionError
        return encode_item(wire)

    monkeypatch.setattr(plan_module, "encode_item", encode)
    planned = _plan(*bodies(2))
    assert planned.failures == {"m0": "RecursionError"}
    assert len(planned.writes) == 1


def test_what_comes_back_is_guarded() -> None:
    """By the first of its messages: one that is delivered for the first time may replace."""
    records = [record("first", body("agent-a"), 1_000), record("again", body("agent-a"), 2_000)]
    records[1]["attributes"]["ApproximateReceiveCount"] = "2"
    assert [put.guarded for put in _plan_event({"Records": records})[1]] == [False]
    assert [put.guarded for put in _plan_event({"Records": records[1:]})[1]] == [True]


def test_what_there_is_no_time_for_is_not_read() -> None:
    """Each message is asked for when its turn comes, so the writes before it may be under way."""
    plan, looks = Plan(), iter([False, False, True, True])
    puts = planned_puts(plan, read_messages(event(*bodies(2), "not JSON", *bodies(4)[3:])), NOW, lambda: next(looks))
    assert next(puts).item.recommendation_id in plan.writes
    assert len(plan.writes) == 1
    assert len(list(puts)) == 1
    assert [message.message_id for message in plan.unread] == ["m2", "m3"]
    assert not plan.poison
