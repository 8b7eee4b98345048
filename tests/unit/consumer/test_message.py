"""Event shapes that AWS never sends and a test invocation, an emulator or a wrong trigger may."""

from typing import Any

import pytest

from recommendation_consumer.message import MalformedEventError, read_messages
from tests.support.lambdas.event import QUEUE_ARN, event, record


def test_messages_keep_their_order_of_arrival() -> None:
    """The answer names them in it."""
    messages = read_messages(event("a", "b"))
    assert [(message.message_id, message.body) for message in messages] == [("m0", "a"), ("m1", "b")]
    assert messages[1].sent_at - messages[0].sent_at == 1
    assert messages[0].queue_arn == QUEUE_ARN


def test_no_records_are_no_messages() -> None:
    """An empty batch is no error."""
    assert read_messages({"Records": []}) == []


@pytest.mark.parametrize(
    "shape", [None, {}, [], "Records", 7, {"Records": None}, {"Records": {}}, {"Records": "m0"}, {"records": []}]
)
def test_an_event_of_another_kind_fails_the_invocation(shape: Any) -> None:
    """An empty answer would mean that all was stored."""
    with pytest.raises(MalformedEventError, match="is the trigger an SQS queue"):
        read_messages(shape)


@pytest.mark.parametrize("one", [None, "record", [], {}, {"body": "{}"}, {"messageId": ""}, {"messageId": 7}])
def test_a_record_that_no_response_could_name_fails_the_whole_batch(one: Any) -> None:
    """It would be deleted unseen if the others were answered for."""
    with pytest.raises(MalformedEventError, match=r"Records\[1\] must have a non-empty `messageId`"):
        read_messages({"Records": [record("m0", "{}"), one]})


@pytest.mark.parametrize("body", [None, 7, {}, [], b"{}", ""])
def test_a_body_that_is_no_text_leaves_the_message_nameable(body: Any) -> None:
    """So it can be reported, and the others stored."""
    (message,) = read_messages({"Records": [record("m0", body)]})
    assert (message.message_id, message.body) == ("m0", None)


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        {},
        {"SentTimestamp": None},
        {"SentTimestamp": "soon"},
        {"SentTimestamp": "²"},
        {"SentTimestamp": "9" * 5_000},
    ],
)
def test_a_message_without_a_known_time_is_the_latest(attributes: Any) -> None:
    """It never displaces one whose time is known."""
    (known,) = read_messages(event("a"))
    (unknown,) = read_messages({"Records": [{**record("m0", "a"), "attributes": attributes}]})
    assert unknown.sent_at > known.sent_at


@pytest.mark.parametrize(
    ("system", "own", "redelivered"),
    [
        ({"ApproximateReceiveCount": "1"}, {}, False),
        ({"ApproximateReceiveCount": "2"}, {}, True),
        ({"ApproximateReceiveCount": "1"}, {"replayCount": {"stringValue": "1", "dataType": "Number"}}, True),
        ({"ApproximateReceiveCount": "1"}, {"failureReason": {"stringValue": "x", "dataType": "String"}}, True),
        ({"ApproximateReceiveCount": "1"}, {"colour": {"stringValue": "x", "dataType": "String"}}, False),
        ({}, {}, False),
        (None, None, False),
    ],
)
def test_what_may_have_been_carried_out_before_is_told(system: Any, own: Any, *, redelivered: bool) -> None:
    """By SQS's count of receives, and by what a dead letter brings along when it is redriven."""
    one = {**record("m0", "a"), "attributes": system, "messageAttributes": own}
    (message,) = read_messages({"Records": [one]})
    assert message.redelivered is redelivered


def test_a_record_without_a_source_has_an_empty_one() -> None:
    """An invocation by hand."""
    (message,) = read_messages({"Records": [{"messageId": "m0", "body": "a"}]})
    assert message.queue_arn == ""
