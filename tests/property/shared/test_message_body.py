"""A stored item turned back into its message."""

import json
from typing import Any

from hypothesis import given

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from recommendation_shared.item.message_body import message_body
from tests.support.strategies import envelope_fields


@given(envelope_fields)
def test_message_of_an_item_is_stored_as_the_same_item(fields: dict[str, Any]) -> None:
    """Byte for byte, for every valid envelope: so what the keeper saves can be restored exactly."""
    stored = encode_item(Envelope.create(**fields).to_fields())
    again = message_body(json.loads(stored.body))
    assert encode_item(read_envelope(again)) == stored
