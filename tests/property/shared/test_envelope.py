"""The envelope's contract, for arbitrary content and for arbitrary junk."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_shared import limits
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.fields import FIELDS, RAW_CONFIDENCE, python_name
from recommendation_shared.envelope.identity import sort_key
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import EnvelopeArguments, write_envelope
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.item.encoding import decode_item, encode_item, item_digest
from recommendation_shared.item.size import item_size
from tests.support.strategies import envelope_fields, json_values, text

SECRET = "s3cr3t"  # noqa: S105 - a marker that must never appear in an error


@given(envelope_fields)
def test_every_field_survives_writing_and_reading(fields: dict[str, Any]) -> None:
    """Values are compared as canonical text, in which NaN and the infinities are text, as in a message."""
    message = write_envelope(**fields)
    read = read_envelope(message.body)
    expected = {name: fields[python_name(name)] for name in FIELDS if python_name(name) in fields}
    expected["timestamp"] = sort_key(fields["timestamp"])
    if read["confidence"] is None and fields["confidence"] is not None:  # moved to the metadata
        expected["confidence"] = None
        expected["metadata"] = {**fields["metadata"], RAW_CONFIDENCE: read["metadata"][RAW_CONFIDENCE]}
    assert read.keys() == FIELDS.keys()
    assert read["recommendationId"] == message.recommendation_id
    assert canonical_text({name: read[name] for name in expected}) == canonical_text(expected)


@given(envelope_fields)
def test_writing_a_read_envelope_changes_nothing(fields: dict[str, Any]) -> None:
    """The model's JSON gives the same item as its fields."""
    envelope = Envelope.from_json(write_envelope(**fields).body)
    assert encode_item(read_envelope(envelope.to_json())) == encode_item(envelope.to_fields())


@given(envelope_fields)
def test_digest_of_a_stored_item_equals_that_of_the_encoded_item(fields: dict[str, Any]) -> None:
    """Also if numbers are normalised on the way (tests/conformance checks this with a real engine)."""
    item = encode_item(Envelope.create(**fields).to_fields())
    stored = json.loads(item.body)
    assert item_digest(stored) == item.digest == stored["contentDigest"]["S"]


@given(envelope_fields, st.data())
def test_any_change_of_content_changes_the_digest(fields: dict[str, Any], data: st.DataObject) -> None:
    """The digest covers every attribute except the two derived ones."""
    item = json.loads(encode_item(Envelope.create(**fields).to_fields()).body)
    name = data.draw(st.sampled_from(sorted(item.keys() - {"ttl", "contentDigest"})))
    assert item_digest({**item, name: {"S": f"other than {item[name]}"}}) != item["contentDigest"]["S"]
    assert item_digest({**item, "ttl": {"N": "1"}, "contentDigest": {"S": ""}}) == item["contentDigest"]["S"]


@given(envelope_fields)
def test_confidence_is_a_probability_or_kept_as_text(fields: dict[str, Any]) -> None:
    """Whatever the agent stated as its confidence is kept."""
    envelope = Envelope.create(**fields)
    said = fields["confidence"]
    if envelope.confidence is None and said is not None:
        assert isinstance(envelope.metadata["rawConfidence"], str)
    elif said is not None:
        assert 0 <= said <= 1
        assert float(envelope.confidence or 0) == float(said)


@given(envelope_fields, st.dictionaries(text.filter(bool), json_values, max_size=3))
def test_unknown_fields_are_kept_and_stored(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    """A newer producer may add fields within a major version; derived names are recomputed."""
    message = json.loads(write_envelope(**fields).body)
    extra = {name: extra[name] for name in extra if name not in message}
    body = json.dumps({**message, **json.loads(json.dumps(extra, default=str)), "ttl": 1, "contentDigest": "forged"})
    item = json.loads(encode_item(read_envelope(body)).body)
    assert extra.keys() <= decode_item(item).keys()
    assert item["contentDigest"]["S"] != "forged"
    assert item.get("ttl") != {"N": "1"}


def _assert_declared_error(body: str | bytes) -> None:
    """Parse `body`; the only error it may raise is the declared one, which quotes nothing from the body."""
    try:
        Envelope.from_json(body)
    except EnvelopeError as error:
        assert error.reason in {"InvalidJson", "InvalidEnvelope", "IdMismatch", "UnknownSchemaVersion"}
        assert SECRET not in str(error)
        assert error.detail.partition(": ")[2] != ""
        assert error.__cause__ is None


@given(st.one_of(st.binary(), st.text(), st.text().map(lambda junk: junk + SECRET)))
def test_junk_raises_only_the_declared_error(body: str | bytes) -> None:
    """Bytes and text of any kind."""
    _assert_declared_error(body)


_NAMES = [*FIELDS, "ttl", "", "extra"]
_junk_values = st.one_of(json_values, st.just(SECRET), st.just({SECRET: SECRET}), st.just([SECRET, {SECRET: 1}]))


@given(st.dictionaries(st.sampled_from([*_NAMES, SECRET]), _junk_values, max_size=14))
def test_json_of_the_wrong_shape_raises_only_the_declared_error(message: dict[str, Any]) -> None:
    """The names are right, the values wrong."""
    _assert_declared_error(json.dumps(message, default=str))


@given(envelope_fields, st.sampled_from([*_NAMES, SECRET]), _junk_values)
def test_one_wrong_field_raises_only_the_declared_error(fields: dict[str, Any], name: str, value: Any) -> None:
    """A valid envelope with one field replaced."""
    message = json.loads(write_envelope(**fields).body)
    _assert_declared_error(json.dumps({**message, name: value}, default=str))


@given(st.fixed_dictionaries(dict.fromkeys(EnvelopeArguments.__annotations__, _junk_values)))
def test_wrong_arguments_raise_only_the_declared_error(arguments: Any) -> None:
    """The same rule holds on the producer's side."""
    try:
        write_envelope(**arguments)
    except EnvelopeError as error:
        assert SECRET not in str(error)


_large = st.one_of(
    st.builds(lambda size, unit: unit * size, st.integers(0, 500_000), st.sampled_from(["x", "é", "漢", "\x00", '"'])),
    st.builds(lambda size: list(range(size)), st.integers(0, 120_000)),
    st.builds(lambda size: [f"{n:01000}" for n in range(size)], st.integers(0, 600)),
    st.builds(lambda size: {f"{n:0900}": n for n in range(size)}, st.integers(0, 600)),
)


@settings(max_examples=40)
@given(_large, _large, _large, _large)
def test_item_never_exceeds_400_kb_and_lists_its_cuts(
    reasoning: Any, recommendation: Any, citation: Any, extra: Any
) -> None:
    """Cuts are marked and listed, keys are never cut, and the digest is that of the stored item."""
    message = json.loads(
        write_envelope(
            incident_id="i" * 1024,
            execution_id="e" * 1024,
            agent_type="a",
            timestamp="2026-01-31T12:00:00Z",
            recommendation={"value": recommendation},
            reasoning=reasoning if isinstance(reasoning, str) else "short",
            citations=[{"value": citation}],
        ).body
    )
    envelope = Envelope.from_json(json.dumps({**message, "extra": extra}))
    encoded = encode_item(envelope.to_fields())
    item = json.loads(encoded.body)
    assert item_size(item) <= limits.ITEM_BYTES
    assert item_digest(item) == encoded.digest
    assert item["incidentId"] == {"S": "i" * 1024}
    stored = decode_item(item)
    untouched = stored["recommendation"] == {"value": recommendation} and stored["extra"] == extra
    whole = untouched and stored["citations"] == [{"value": citation}] and stored["reasoning"] == envelope.reasoning
    assert whole == ("truncated" not in stored["metadata"])
    for cut in stored["metadata"].get("truncated", []):
        assert cut["bytes"] >= 1024
        assert len(cut["sha256"]) == 64
        assert cut["path"].startswith(("/reasoning", "/recommendation", "/citations", "/extra", "/metadata"))


@given(envelope_fields)
@settings(max_examples=20)
def test_trimming_a_trimmed_envelope_changes_nothing(fields: dict[str, Any]) -> None:
    """A trimmed item that is sent again yields the same item."""
    trimmed = encode_item(Envelope.create(**{**fields, "reasoning": "é" * 300_000}).to_fields())
    sent_again = canonical_text(decode_item(json.loads(trimmed.body)))  # reading ignores the derived attributes
    assert encode_item(read_envelope(sent_again)).body == trimmed.body
