"""Shrink a message body that SQS would reject, by trimming it as for the table."""

import json

from recommendation_shared.envelope.fields import DERIVED_FIELDS
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import sqs_safe
from recommendation_shared.item.encoding import decode_item, encode_item


def shrink(body: bytes) -> bytes:
    """Return the body of the same envelope, trimmed to an item of at most 400 KB. Each cut is marked and listed.

    The JSON of such an item may be longer than 400 KB, because a control character takes six bytes. The caller must
    check the result against its own limit. Raises `EnvelopeError` if the body is not a valid envelope.
    """
    item = decode_item(json.loads(encode_item(read_envelope(body)).body))
    fields = {name: value for name, value in item.items() if name not in DERIVED_FIELDS}
    return sqs_safe(canonical_text(fields).encode())
