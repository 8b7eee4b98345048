"""A dead letter's entry: its reason, and the message's own attributes."""

import base64
from typing import Any

import pytest

from recommendation_consumer.dead_letter_entry import build_entry
from recommendation_consumer.message import read_messages
from recommendation_consumer.plan import Poison
from recommendation_shared import limits
from recommendation_shared.queue import dead_letter
from tests.support.lambdas.event import QUEUE_ARN, record

CONSUMERS_OWN = {
    dead_letter.FAILURE_REASON,
    dead_letter.FAILURE_DETAIL,
    dead_letter.ORIGINAL_MESSAGE_ID,
    dead_letter.SOURCE_QUEUE_ARN,
}


def _attribute(text: str, data_type: str = "String") -> dict[str, Any]:
    """Return a text attribute in the form of Lambda's event."""
    return {"stringValue": text, "stringListValues": [], "binaryListValues": [], "dataType": data_type}


def _binary(value: str) -> dict[str, Any]:
    return {"binaryValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "Binary.png"}


def _entry(attributes: Any, detail: str = "body: must be JSON") -> dict[str, Any]:
    (message,) = read_messages({"Records": [{**record("m0", "not JSON"), "messageAttributes": attributes}]})
    return build_entry(Poison(message, "InvalidJson", detail), "0")


def _kept(attributes: Any) -> dict[str, Any]:
    sent = _entry(attributes)["MessageAttributes"]
    return {name: sent[name] for name in sent.keys() - CONSUMERS_OWN}


def test_replay_count_survives_a_second_dead_lettering() -> None:
    """Otherwise nobody could see how often a dead letter was redriven."""
    assert _kept({"replayCount": _attribute("2", "Number")}) == {
        "replayCount": {"DataType": "Number", "StringValue": "2"}
    }


def test_attributes_of_other_programs_are_kept_with_their_types() -> None:
    """Text, numbers, custom types and bytes are sent in SQS's form."""
    attributes = {"colour": _attribute("blue", "String.name"), "picture": _binary(base64.b64encode(b"\0\xff").decode())}
    assert _kept(attributes) == {
        "colour": {"DataType": "String.name", "StringValue": "blue"},
        "picture": {"DataType": "Binary.png", "BinaryValue": b"\0\xff"},
    }


def test_new_reason_replaces_that_of_an_earlier_dead_lettering() -> None:
    """The latest reason is the one to act on."""
    attributes = _entry({"failureReason": _attribute("IdConflict"), "originalMessageId": _attribute("old")})[
        "MessageAttributes"
    ]
    assert attributes["failureReason"]["StringValue"] == "InvalidJson"
    assert attributes["originalMessageId"]["StringValue"] == "m0"


def test_replay_count_and_first_names_are_kept_if_there_are_more_than_ten_attributes() -> None:
    """SQS accepts ten, and four of them are the consumer's own."""
    attributes = {**{f"other-{number}": _attribute("x") for number in range(9)}, "replayCount": _attribute("1")}
    entry = _entry(attributes)
    assert len(entry["MessageAttributes"]) == limits.SQS_MESSAGE_ATTRIBUTES
    assert set(_kept(attributes)) == {"replayCount", *(f"other-{number}" for number in range(5))}


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        [],
        "text",
        {"a": None},
        {"a": {}},
        {"a": _attribute("")},
        {"a": {"stringValue": 7, "dataType": "String"}},
        {"a": {"stringValue": "x", "dataType": None}},
        {"a": _binary("not base64!")},
        {"a": _binary("")},
        {"a": {"dataType": "String"}},
    ],
)
def test_malformed_attributes_are_omitted(attributes: Any) -> None:
    """Only an event written by hand has them; its message is dead-lettered even so."""
    assert set(_entry(attributes)["MessageAttributes"]) == CONSUMERS_OWN


def test_detail_contains_only_characters_that_sqs_accepts() -> None:
    """It names fields, and anybody may have chosen their names."""
    detail = _entry({}, detail="bad\x00name\ud800\ufffe: é🔥\t")["MessageAttributes"]["failureDetail"]
    assert detail["StringValue"] == "bad?name??: é🔥\t"


def test_entry_names_the_source_queue() -> None:
    """A dead letter sent by the consumer carries no trace of its source queue otherwise."""
    assert _entry({})["MessageAttributes"]["sourceQueueArn"]["StringValue"] == QUEUE_ARN


def test_trace_header_is_kept_as_a_system_attribute() -> None:
    """It does not count towards SQS's limit of ten, so a full message keeps all of its attributes, too."""
    full = {f"name-{number}": _attribute("x") for number in range(6)}
    delivered = {**record("m0", "not JSON", AWSTraceHeader="Root=1"), "messageAttributes": full}
    (message,) = read_messages({"Records": [delivered]})
    entry = build_entry(Poison(message, "InvalidJson", "body: must be JSON"), "0")
    assert entry["MessageSystemAttributes"] == {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    assert len(entry["MessageAttributes"]) == 10
    assert "MessageSystemAttributes" not in _entry({})
