"""Events as AWS sends them, and as only a test invocation, an emulator or a wrong trigger does."""

from typing import Any

import pytest

from recommendation_consumer.message import MalformedEventError, read_messages
from tests.support.lambdas.event import QUEUE_ARN, event, record


def test_messages_keep_their_order_of_arrival() -> None:
    """The response names them in the same order."""
    messages = read_messages(event("a", "b"))
    assert [(message.message_id, message.body) for message in messages] == [("m0", "a"), ("m1", "b")]
    assert messages[1].sent_at - messages[0].sent_at == 1
    assert messages[0].queue_arn == QUEUE_ARN


@pytest.mark.parametrize(
    "change",
    [
        {"ApproximateReceiveCount": "2"},
        {"DeadLetterQueueSourceArn": QUEUE_ARN},
    ],
)
def test_message_that_came_back_is_redelivered(change: dict[str, Any]) -> None:
    """A native redrive makes a new message with a receive count of 1, which names the queue that it once failed in."""
    first, again = read_messages({"Records": [record("m0", "{}"), record("m1", "{}", **change)]})
    assert not first.redelivered
    assert again.redelivered


@pytest.mark.parametrize("name", ["failureReason", "replayCount"])
def test_message_with_the_attributes_of_a_dead_letter_is_redelivered(name: str) -> None:
    """It was redriven, by `recs` or natively."""
    redriven = {**record("m0", "{}"), "messageAttributes": {name: {"dataType": "String", "stringValue": "1"}}}
    (message,) = read_messages({"Records": [redriven]})
    assert message.redelivered


@pytest.mark.parametrize(("header", "expected"), [("Root=1", "Root=1"), ("", None), (7, None), (None, None)])
def test_trace_header_is_a_text_or_absent(header: Any, expected: str | None) -> None:
    """An emulator or a test invocation may put anything there."""
    (message,) = read_messages({"Records": [record("m0", "{}", AWSTraceHeader=header)]})
    assert message.trace_header == expected


def test_event_without_records_has_no_messages() -> None:
    """An empty batch is not an error."""
    assert read_messages({"Records": []}) == []


@pytest.mark.parametrize(
    "shape", [None, {}, [], "Records", 7, {"Records": None}, {"Records": {}}, {"Records": "m0"}, {"records": []}]
)
def test_event_of_another_kind_fails_the_invocation(shape: Any) -> None:
    """An empty response would mean that everything was stored."""
    with pytest.raises(MalformedEventError, match="is the trigger an SQS queue"):
        read_messages(shape)


@pytest.mark.parametrize("unnamed", [None, "record", [], {}, {"body": "{}"}, {"messageId": ""}, {"messageId": 7}])
def test_record_that_no_response_can_name_fails_the_whole_batch(unnamed: Any) -> None:
    """Otherwise a response for the others would delete it unread."""
    with pytest.raises(MalformedEventError, match=r"Records\[1\] must have a non-empty `messageId`"):
        read_messages({"Records": [record("m0", "{}"), unnamed]})


@pytest.mark.parametrize("body", [None, 7, {}, [], b"{}", ""])
def test_message_whose_body_is_not_text_can_still_be_named(body: Any) -> None:
    """So it is reported as failed, and the others are stored."""
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
def test_message_without_a_valid_time_counts_as_the_latest(attributes: Any) -> None:
    """So it never wins over a message whose time is known."""
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
def test_message_that_may_have_been_stored_before_is_marked_as_redelivered(
    system: Any, own: Any, *, redelivered: bool
) -> None:
    """SQS's receive count shows it, and so do the attributes of a redriven dead letter."""
    delivered = {**record("m0", "a"), "attributes": system, "messageAttributes": own}
    (message,) = read_messages({"Records": [delivered]})
    assert message.redelivered is redelivered


def test_record_may_lack_its_source_queue() -> None:
    """As in an invocation by hand."""
    (message,) = read_messages({"Records": [{"messageId": "m0", "body": "a"}]})
    assert message.queue_arn == ""
