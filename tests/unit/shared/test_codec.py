"""Examples of the codec, the size rule and the trimming, hand-computed from DynamoDB's documentation."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.numbers import number_text
from recommendation_shared.exact_json.parse import parse_json
from recommendation_shared.item.attribute_value import decode_map
from recommendation_shared.item.encoding import decode_item, encode_item, item_digest
from recommendation_shared.item.size import item_size, value_size

ENVELOPE = Envelope.create(
    incident_id="incident-123",
    execution_id="execution-1",
    agent_type="consensus",
    timestamp="2026-01-31T12:00:00.5Z",
    recommendation={"unified": "Fail over", "votes": 6, "ratio": 0.5, "none": None, "yes": True},
    confidence=0.87,
    reasoning="Because.",
    citations=[{"source": "runbook"}],
)


def test_the_items_attributes_are_those_of_the_contract() -> None:
    """Names and types, as the table and its indexes expect them."""
    item = json.loads(encode_item(ENVELOPE.to_fields()).body)
    digest = item.pop("contentDigest")
    assert item == {
        "schemaVersion": {"N": "1"},
        "recommendationId": {"S": "rec-incident-123-consensus-2026-01-31T12:00:00.5Z"},
        "incidentId": {"S": "incident-123"},
        "executionId": {"S": "execution-1"},
        "agentType": {"S": "consensus"},
        "timestamp": {"S": "2026-01-31T12:00:00.500000Z"},
        "recommendation": {
            "M": {
                "none": {"NULL": True},
                "ratio": {"N": "0.5"},
                "unified": {"S": "Fail over"},
                "votes": {"N": "6"},
                "yes": {"BOOL": True},
            }
        },
        "confidence": {"N": "0.87"},
        "reasoning": {"S": "Because."},
        "citations": {"L": [{"M": {"source": {"S": "runbook"}}}]},
        "metadata": {"M": {}},
        "retention": {"N": "90"},
        "ttl": {"N": str(1769860800 + 90 * 86_400)},
    }
    assert digest == {"S": sha256(_content(item)).hexdigest()}


def _content(item: dict[str, Any]) -> bytes:
    without = {name: item[name] for name in item if name != "ttl"}
    return json.dumps(without, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_the_digest_is_pinned() -> None:
    """A change of the canonical form would make every stored item look tampered with."""
    assert (
        encode_item(ENVELOPE.to_fields()).digest == "2a608bc2157790142c0575623cb7328db978cd407bf2247ef6a5910d505e5adb"
    )


def test_an_item_without_retention_has_no_ttl() -> None:
    """It is kept for ever."""
    wire = parse_json(ENVELOPE.to_json())
    item = encode_item(read_envelope(canonical_text({**wire, "retention": None})))
    assert item.expires_at is None
    assert b'"ttl"' not in item.body


def test_a_tampered_item_shows() -> None:
    """Whoever edits an item in the console leaves a digest that does not fit."""
    item = json.loads(encode_item(ENVELOPE.to_fields()).body)
    item["recommendation"]["M"]["unified"]["S"] = "Do nothing"
    assert item_digest(item) != item["contentDigest"]["S"]


@pytest.mark.parametrize(
    ("attribute", "size"),
    [
        ({"S": "漢é"}, 5),
        ({"NULL": True}, 1),
        ({"BOOL": False}, 1),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"NULL": True}]}, 3 + (1 + 2) + (1 + 1)),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "-7"}, 3),
        ({"N": "123"}, 3),
        ({"N": "1234"}, 3),
        ({"N": "123.4"}, 4),
        ({"N": "100"}, 2),
        ({"N": "0.0001"}, 2),
        ({"N": "9" * 38}, 20),
    ],
)
def test_sizes_by_dynamodbs_rule(attribute: dict[str, Any], size: int) -> None:
    """UTF-8 bytes; a byte for two digits; 3 bytes a container and 1 an element."""
    assert value_size(attribute) == size
    assert item_size({"name": attribute}) == len("name") + size


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("-Infinity"), float("inf"), 10**126, Decimal("1E-131")])
def test_what_is_no_number_to_dynamodb_has_no_number_text(number: float | Decimal) -> None:
    """It goes as text."""
    assert number_text(number) is None


def test_an_exponent_beyond_all_bounds_is_kept_as_it_was_written() -> None:
    """Even `Decimal` refuses it."""
    wire = canonical_text({**parse_json(ENVELOPE.to_json()), "extra": 4321}).replace("4321", "1e99999999999999999999")
    item = json.loads(encode_item(read_envelope(wire)).body)
    assert item["extra"] == {"S": "1e99999999999999999999"}


def test_types_that_we_never_write_are_readable() -> None:
    """A foreign item in the table is shown, not crashed on."""
    foreign: dict[str, dict[str, Any]] = {
        "b": {"B": b"\xff"},
        "ss": {"SS": ["b", "a"]},
        "ns": {"NS": ["2", "1"]},
        "bs": {"BS": [b"a"]},
    }
    assert decode_map(foreign) == {"b": "/w==", "ss": ["a", "b"], "ns": [1, 2], "bs": ["YQ=="]}
    with pytest.raises(ValueError, match="unknown DynamoDB type 'X'"):
        decode_map({"x": {"X": 1}})


def _item(**changes: Any) -> dict[str, Any]:
    wire = {**parse_json(ENVELOPE.to_json()), **changes}
    return decode_item(json.loads(encode_item(read_envelope(canonical_text(wire))).body))


def test_reasoning_is_cut_first() -> None:
    """Even when another string is larger."""
    item = _item(reasoning="r" * 100_000, recommendation={"log": "l" * 350_000})
    (cut,) = item["metadata"]["truncated"]
    assert cut == {"path": "/reasoning", "bytes": 100_000, "sha256": sha256(b"r" * 100_000).hexdigest()}
    assert item["reasoning"].endswith("… [cut: 100000 bytes in all]")
    assert len(item["recommendation"]["log"]) == 350_000


def test_then_the_largest_strings_are_cut() -> None:
    """As many as needed and no more."""
    item = _item(recommendation={"a": "a" * 250_000, "b": "b" * 200_000, "c": "c" * 50_000})
    assert [cut["path"] for cut in item["metadata"]["truncated"]] == ["/recommendation/a"]
    assert len(item["recommendation"]["b"]) == 200_000
    assert len(item["recommendation"]["a"]) > 145_000


def test_many_small_values_become_one_cut_text() -> None:
    """Nothing is lost without a mark, whatever the shape."""
    item = _item(recommendation={"series": list(range(150_000))}, citations=[{"n": n} for n in range(9)])
    (cut,) = item["metadata"]["truncated"]
    assert cut["path"] == "/recommendation"
    assert item["recommendation"]["cutJson"].startswith('{"series":[0,1,2,')
    assert len(item["citations"]) == 9


def test_a_foreign_value_under_the_lists_name_is_kept() -> None:
    """`metadata.truncated` may already be taken."""
    assert _item(reasoning="r" * 500_000, metadata={"truncated": "no"})["metadata"]["truncated"][0] == "no"
    listed = _item(reasoning="r" * 500_000, metadata={"truncated": [1]})["metadata"]["truncated"]
    assert (listed[0], len(listed)) == (1, 2)
