"""A document's JSON is the canonical text, whichever code writes it."""

import json
from typing import Any

from hypothesis import example, given

from recommendation_cli.document_json import document_line
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.attribute_value import decode_map, encode_map
from tests.support.strategies import json_objects


@given(json_objects)
@example({"1.50": [1.5, -0.0, 1e38, 1e-7], "z": {"b": True, "a": None}})
@example({"é": "\x00\t\x7f\u2028\U0001f600", "\U0001f600": 2**64, "\uffff": -(2**63)})
def test_a_documents_line_is_its_canonical_text(value: dict[str, Any]) -> None:
    """Names are sorted by character, numbers are exact, and what could control a terminal is escaped."""
    document = decode_map(json.loads(encode_map(value)))
    assert document_line(document) == json_line(document)


def test_half_a_surrogate_pair_is_escaped() -> None:
    """Only an item written by hand may hold it."""
    assert document_line({"reasoning": "\ud800"}) == json_line({"reasoning": "\ud800"}) == b'{"reasoning":"\\ud800"}\n'
