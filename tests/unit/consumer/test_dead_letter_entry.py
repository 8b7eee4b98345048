"""A message as a dead letter: its reason, and what it came with."""

import base64
from typing import Any

import pytest

from recommendation_consumer.dead_letter_entry import build_entry
from recommendation_consumer.message import read_messages
from recommendation_consumer.plan import Poison
from tests.support.lambdas.event import QUEUE_ARN, record

OURS = {"failureReason", "failureDetail", "originalMessageId", "sourceQueueArn"}


def _attribute(text: str, data_type: str = "String") -> dict[str, Any]:
    """Return a message attribute as Lambda's event has it."""
    return {"stringValue": text, "stringListValues": [], "binaryListValues": [], "dataType": data_type}


def _binary(value: str) -> dict[str, Any]:
    return {"binaryValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "Binary.png"}


def _entry(attributes: Any, detail: str = "body: must be JSON") -> dict[str, Any]:
    (message,) = read_messages({"Records": [{**record("m0", "not JSON"), "messageAttributes": attributes}]})
    return build_entry(Poison(message, "InvalidJson", detail), "0")


def _carried(attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in _entry(attributes)["MessageAttributes"].items() if name not in OURS}


def test_replay_counter_survives_a_second_setting_aside() -> None:
    """Or nobody could tell how often a dead letter was tried."""
    assert _carried({"replayCount": _attribute("2", "Number")}) == {
        "replayCount": {"DataType": "Number", "StringValue": "2"}
    }


def test_attributes_of_other_programs_are_kept_with_their_types() -> None:
    """Text, numbers, custom types and bytes, as SQS takes them."""
    attributes = {"colour": _attribute("blue", "String.name"), "picture": _binary(base64.b64encode(b"\0\xff").decode())}
    assert _carried(attributes) == {
        "colour": {"DataType": "String.name", "StringValue": "blue"},
        "picture": {"DataType": "Binary.png", "BinaryValue": b"\0\xff"},
    }


def test_what_an_earlier_setting_aside_said_gives_way() -> None:
    """The newest reason is the one to act on."""
    attributes = _entry({"failureReason": _attribute("IdConflict"), "originalMessageId": _attribute("old")})[
        "MessageAttributes"
    ]
    assert attributes["failureReason"]["StringValue"] == "InvalidJson"
    assert attributes["originalMessageId"]["StringValue"] == "m0"


def test_beyond_ten_attributes_the_counter_and_the_first_names_stay() -> None:
    """SQS takes no more than ten; four are the reason."""
    attributes = {**{f"other-{number}": _attribute("x") for number in range(9)}, "replayCount": _attribute("1")}
    entry = _entry(attributes)
    assert len(entry["MessageAttributes"]) == 10
    assert set(_carried(attributes)) == {"replayCount", *(f"other-{number}" for number in range(5))}


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
def test_attributes_that_sqs_never_delivers_are_left_out(attributes: Any) -> None:
    """An event made by hand; the message is dead-lettered all the same."""
    assert set(_entry(attributes)["MessageAttributes"]) == OURS


def test_a_detail_holds_only_characters_that_sqs_takes() -> None:
    """It names fields and rules; a name that it quotes may come from anybody."""
    detail = _entry({}, detail="bad\x00name\ud800\ufffe: é🔥\t")["MessageAttributes"]["failureDetail"]
    assert detail["StringValue"] == "bad?name??: é🔥\t"


def test_source_queue_is_named() -> None:
    """A native move needs to know where it came from."""
    assert _entry({})["MessageAttributes"]["sourceQueueArn"]["StringValue"] == QUEUE_ARN
