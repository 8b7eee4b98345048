"""The item codec and the size rule agree with an engine that enforces DynamoDB's limits."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendation_shared import limits
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.parse import parse_json
from recommendation_shared.item.encoding import PARTITION_KEY, EncodedItem, decode_item, encode_item, item_digest
from recommendation_shared.item.size import item_size
from tests.support.strategies import envelope_fields, json_objects

TABLE = "contract"
ENGINE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def engine(dynalite: str) -> Iterator[Any]:
    """A low-level client, with a table that has only a partition key."""
    client = boto3.client("dynamodb", endpoint_url=dynalite)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": PARTITION_KEY, "AttributeType": "S"}],
    )
    yield client
    client.delete_table(TableName=TABLE)
    client.close()


def _read_back(engine: Any, item: EncodedItem) -> Any:
    engine.put_item(TableName=TABLE, Item=json.loads(item.body))
    key = {PARTITION_KEY: {"S": item.recommendation_id}}
    return engine.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]


@ENGINE
@given(envelope_fields)
def test_the_digest_of_what_was_sent_is_the_digest_of_what_is_read(engine: Any, fields: dict[str, Any]) -> None:
    """Whatever the engine does to numbers."""
    item = encode_item(Envelope.create(**fields).to_fields())
    stored = _read_back(engine, item)
    assert item_digest(stored) == stored["contentDigest"]["S"] == item.digest
    assert encode_item(read_envelope(canonical_text(decode_item(stored)))) == item


@ENGINE
@given(json_objects)
def test_every_json_number_is_stored_exactly_or_as_text(engine: Any, content: dict[str, Any]) -> None:
    """Including numbers that JSON allows but a Python float cannot hold."""
    wire = parse_json(write_envelope(**_fields({})).body)
    item = encode_item(read_envelope(canonical_text({**wire, "recommendation": content})))
    assert item_digest(_read_back(engine, item)) == item.digest


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString", "hasOwnProperty", "length"])
@pytest.mark.parametrize("value", [None, 0, {"a": []}])
def test_names_with_a_meaning_in_javascript_are_ordinary_names(engine: Any, name: str, value: Any) -> None:
    """The engine is written in JavaScript."""
    item = encode_item(Envelope.create(**_fields({name: value}), metadata={name: value}).to_fields())
    assert item_digest(_read_back(engine, item)) == item.digest


@pytest.mark.parametrize(
    "written",
    ["1.0", "1e-7", "100e-2", "-0", "0.10", "1e22", "123456789012345678901234567890", "9.99e125", "1e-130", "1e-131"],
)
def test_number_normalisation_does_not_change_the_digest(engine: Any, written: str) -> None:
    """`1.0` is returned as `1`, and `1e-7` as `0.0000001`."""
    body = write_envelope(**_fields({"n": 4321})).body.replace(b"4321", written.encode())
    item = encode_item(read_envelope(body))
    assert item_digest(_read_back(engine, item)) == item.digest


def _fields(recommendation: dict[str, Any]) -> dict[str, Any]:
    return {
        "incident_id": "incident-1",
        "execution_id": "execution-1",
        "agent_type": "consensus",
        "timestamp": "2026-01-31T12:00:00Z",
        "recommendation": recommendation,
    }


@ENGINE
@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(10**37), 10**37), st.decimals(-1000, 1000, places=3), st.text("ab")
        ),
        lambda child: st.lists(child, max_size=4) | st.dictionaries(st.text("xy", min_size=1), child, max_size=4),
        max_leaves=20,
    )
)
def test_the_size_function_agrees_with_the_engine_to_the_byte(engine: Any, content: Any) -> None:
    """An item of 400 KB is accepted, and one byte more is refused (in ASCII, because this engine counts UTF-16)."""
    item = json.loads(encode_item(Envelope.create(**_fields({"content": None})).to_fields()).body)
    del item["contentDigest"], item["ttl"]
    wire = parse_json(canonical_text({"content": content}))
    item["recommendation"] = json.loads(_as_map(wire))
    item["filler"] = {"S": ""}
    item["filler"] = {"S": "x" * (limits.ITEM_BYTES - item_size(item))}
    engine.put_item(TableName=TABLE, Item=item)
    item["filler"] = {"S": item["filler"]["S"] + "x"}
    with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
        engine.put_item(TableName=TABLE, Item=item)


def _as_map(values: dict[str, Any]) -> str:
    wire = parse_json(write_envelope(**_fields({})).body)
    item = json.loads(encode_item(read_envelope(canonical_text({**wire, "recommendation": values}))).body)
    return json.dumps(item["recommendation"])


@pytest.mark.parametrize("over", [0, 1])
def test_an_item_at_the_limit_is_stored_whole_and_one_byte_over_is_trimmed(engine: Any, over: int) -> None:
    """Our limit equals the engine's: an item that fits is never trimmed."""
    empty = item_size(json.loads(encode_item(Envelope.create(**_fields({"log": ""})).to_fields()).body))
    item = encode_item(Envelope.create(**_fields({"log": "x" * (limits.ITEM_BYTES - empty + over)})).to_fields())
    stored = _read_back(engine, item)
    assert (item_size(stored) == limits.ITEM_BYTES) == (over == 0)
    assert ("truncated" in stored["metadata"]["M"]) == (over == 1)


@pytest.mark.parametrize("character", ["x", "é", "漢", "🔥", "\x00", '"'])
def test_a_900_kb_recommendation_is_stored_trimmed(engine: Any, character: str) -> None:
    """Whatever size its characters have in UTF-8 and in JSON."""
    log = character * (900_000 // len(character.encode()))
    item = encode_item(Envelope.create(**_fields({"log": log})).to_fields())
    stored = decode_item(_read_back(engine, item))
    (cut,) = stored["metadata"]["truncated"]
    assert (cut["path"], cut["bytes"]) == ("/recommendation/log", len(log.encode()))
    assert f"[cut: {cut['bytes']} bytes in all]" in stored["recommendation"]["log"]
