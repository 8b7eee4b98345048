"""Shrinking a message body that SQS would refuse."""

import json
from typing import Any

import pytest

from recommendation_shared import limits
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.encoding import encode_item
from recommendation_shared.item.shrink import shrink
from recommendation_shared.item.size import item_size
from tests.support.fakes.queue import recommendation

MIB = limits.SQS_REQUEST_BYTES


@pytest.mark.parametrize(
    "content",
    [
        {"reasoning": "x" * MIB},
        {"recommendation": {"log": "é" * MIB, "number": 0.1, "big": 10**30}},
        {"recommendation": {"lines": ["x" * 60] * 20_000}},
    ],
)
def test_shrunk_body_gives_the_same_item_as_the_whole_body(content: dict[str, Any]) -> None:
    """It makes no difference on which side of the queue an envelope is trimmed."""
    body = write_envelope(**recommendation(**content)).body
    assert len(body) > MIB
    shrunk = shrink(body)
    assert len(shrunk) < MIB
    item = encode_item(read_envelope(shrunk))
    assert item == encode_item(read_envelope(body))
    assert item_size(json.loads(item.body)) <= limits.ITEM_BYTES


def test_invalid_envelope_cannot_be_shrunk() -> None:
    """Only an envelope that can be read can be trimmed."""
    with pytest.raises(EnvelopeError, match="InvalidJson"):
        shrink(b"{")
