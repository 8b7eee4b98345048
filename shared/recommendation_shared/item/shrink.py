"""Shrink a message body that SQS would reject, by trimming it as for the table."""

import json

from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import encode_item
from recommendation_shared.item.message_body import message_body


def shrink(body: bytes) -> bytes:
    """Return the body of the same envelope, trimmed to an item of at most 400 KB. Each cut is marked and listed.

    The caller must check the result against its own limit: see `message_body`. Raises `EnvelopeError` if the body is
    not a valid envelope.
    """
    return message_body(json.loads(encode_item(read_envelope(body)).body))
