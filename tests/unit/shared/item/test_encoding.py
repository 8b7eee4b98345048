"""An envelope as an item: attributes, `ttl` and `contentDigest`."""

import json
from hashlib import sha256
from typing import Any

from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.item.encoding import EncodedItem, encode_item, item_digest
from tests.support.envelopes import message

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


def _encoded() -> EncodedItem:
    return encode_item(ENVELOPE.to_fields())


def test_attributes_have_the_names_and_types_of_the_contract() -> None:
    """The table and its indexes rely on them."""
    item = json.loads(_encoded().body)
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
    content = {name: item[name] for name in item if name != "ttl"}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_digest_is_pinned() -> None:
    """If the canonical form changed, every stored item would look tampered with."""
    assert _encoded().digest == "2a608bc2157790142c0575623cb7328db978cd407bf2247ef6a5910d505e5adb"


def test_item_without_retention_has_no_ttl() -> None:
    """It is kept indefinitely."""
    item = encode_item(read_envelope(message(retention=None)))
    assert item.expires_at is None
    assert b'"ttl"' not in item.body


def test_digest_reveals_a_tampered_item() -> None:
    """An edit in the console leaves a digest that no longer matches."""
    item = json.loads(_encoded().body)
    item["recommendation"]["M"]["unified"]["S"] = "Do nothing"
    assert item_digest(item) != item["contentDigest"]["S"]


def test_number_too_large_for_decimal_is_stored_as_it_was_written() -> None:
    """Even `Decimal` rejects an exponent of 20 digits."""
    body = message(extra=4321).replace("4321", "1e99999999999999999999")
    item = json.loads(encode_item(read_envelope(body)).body)
    assert item["extra"] == {"S": "1e99999999999999999999"}
