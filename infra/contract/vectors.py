"""Golden vectors: what is sent for each input, and what is stored for each message, or why it is refused."""

import json
from hashlib import sha256
from typing import Any, Final

from infra.contract.cases import SENDING, STORING, Case, joined
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.fields import python_name
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.item.encoding import EncodedItem, encode_item
from recommendation_shared.item.trim import TRUNCATED

_SHOWN: Final = 4_000  # bytes; a longer item is represented by its hash


def vectors() -> dict[str, Any]:
    """Return the vectors as JSON values."""
    return {
        "readme": "README.md says how to use these vectors.",
        "schemaVersion": 1,
        "sending": [_sent(case) for case in SENDING],
        "storing": [_stored(case) for case in STORING],
    }


def _sent(case: Case) -> dict[str, Any]:
    vector = {"name": case.name, "arguments": case.given}
    try:
        message = write_envelope(**{python_name(name): value for name, value in case.given.items()})
    except EnvelopeError as error:
        return {**vector, "refused": _refusal(error)}
    fields = read_envelope(message.body)
    item = encode_item(fields)
    return {**vector, "sent": {**_derived(item, fields), "envelope": json.loads(message.body)}}


def _stored(case: Case) -> dict[str, Any]:
    vector = {"name": case.name, "body": case.given, **({"needs": case.needs} if case.needs else {})}
    try:
        fields = read_envelope(joined(case.given))
    except EnvelopeError as error:
        return {**vector, "refused": _refusal(error)}
    item = encode_item(fields)
    stored: dict[str, Any] = {**_derived(item, fields), "itemSha256": sha256(item.body).hexdigest()}
    document = json.loads(item.body)
    if TRUNCATED in document["metadata"]["M"]:
        stored["truncated"] = document["metadata"]["M"][TRUNCATED]
    if len(item.body) <= _SHOWN:
        stored["item"] = document
    return {**vector, "stored": stored}


def _derived(item: EncodedItem, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "recommendationId": item.recommendation_id,
        "timestamp": fields["timestamp"],
        "ttl": item.expires_at,
        "contentDigest": item.digest,
    }


def _refusal(error: EnvelopeError) -> dict[str, str]:
    return {"reason": error.reason, "detail": error.detail}
