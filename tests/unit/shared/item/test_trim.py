"""Items over 400 KB are trimmed; each cut is marked and listed."""

import json
from hashlib import sha256
from typing import Any

from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import decode_item, encode_item
from tests.support.envelopes import message


def _item(**changes: Any) -> dict[str, Any]:
    return decode_item(json.loads(encode_item(read_envelope(message(**changes))).body))


def test_reasoning_is_cut_first() -> None:
    """Even if another string is larger."""
    item = _item(reasoning="r" * 100_000, recommendation={"log": "l" * 350_000})
    (cut,) = item["metadata"]["truncated"]
    assert cut == {"path": "/reasoning", "bytes": 100_000, "sha256": sha256(b"r" * 100_000).hexdigest()}
    assert item["reasoning"].endswith("… [cut: 100000 bytes in all]")
    assert len(item["recommendation"]["log"]) == 350_000


def test_largest_strings_are_cut_next() -> None:
    """No more of them than necessary."""
    item = _item(recommendation={"a": "a" * 250_000, "b": "b" * 200_000, "c": "c" * 50_000})
    assert [cut["path"] for cut in item["metadata"]["truncated"]] == ["/recommendation/a"]
    assert len(item["recommendation"]["b"]) == 200_000
    assert len(item["recommendation"]["a"]) > 145_000


def test_attribute_with_too_many_small_values_becomes_cut_json_text() -> None:
    """Whatever the attribute's shape, the cut is marked."""
    item = _item(recommendation={"series": list(range(150_000))}, citations=[{"n": n} for n in range(9)])
    (cut,) = item["metadata"]["truncated"]
    assert cut["path"] == "/recommendation"
    assert item["recommendation"]["cutJson"].startswith('{"series":[0,1,2,')
    assert len(item["citations"]) == 9


def test_value_already_stored_as_truncated_is_kept() -> None:
    """`metadata.truncated` may hold something of the agent's."""
    assert _item(reasoning="r" * 500_000, metadata={"truncated": "no"})["metadata"]["truncated"][0] == "no"
    listed = _item(reasoning="r" * 500_000, metadata={"truncated": [1]})["metadata"]["truncated"]
    assert (listed[0], len(listed)) == (1, 2)


def test_long_path_is_cut_between_characters() -> None:
    """To at most 200 bytes, so that the list's entries stay within the space reserved for them."""
    item = _item(recommendation={"x" + "é" * 150: "l" * 500_000})
    (cut,) = item["metadata"]["truncated"]
    assert cut["path"] == "/recommendation/x" + "é" * 91
