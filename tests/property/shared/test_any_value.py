"""Any value that an agent may hold: the same bytes with and without orjson, and in every process."""

import enum
import json
import os
import subprocess
import sys
from datetime import UTC
from decimal import Decimal
from typing import Any

import orjson
import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_producer._bodies import snapshot
from recommendation_shared import limits
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import valid_fields, write_envelope
from recommendation_shared.exact_json import dump
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.dump import dump_json
from recommendation_shared.exact_json.parse import parse_json
from recommendation_shared.item.encoding import encode_item
from tests.support.envelopes import ARGUMENTS
from tests.support.strategies import json_values

plain_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)
Colour = enum.Enum("Colour", {"RED": "red", "BLUE": 2})
_hashable = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None), max_size=5),
    st.decimals(allow_nan=False),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from(Colour),
    st.binary(max_size=4),
)
anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(_hashable, st.sets(_hashable, max_size=4), st.builds(object), st.builds(lambda: iter([1]))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(_hashable, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.one_of(json_values, anything))
def test_bytes_are_the_same_with_and_without_orjson(value: Any) -> None:
    """A host without it stores the same item under the same digest."""
    with_orjson = dump_json(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump, "ORJSON", None)
        assert dump_json(value) == with_orjson


@given(st.one_of(json_values, anything))
def test_bytes_are_the_same_when_the_sender_writes_them(value: Any) -> None:
    """From a copy, in a host without orjson."""
    arguments = {**ARGUMENTS, "recommendation": {"value": value}}
    body = write_envelope(**arguments).body
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump, "ORJSON", None)
        copy = snapshot(valid_fields(**arguments))
        assert (copy if isinstance(copy, bytes) else copy.written()) in {body, (body, None)}


@pytest.mark.parametrize("kind", [dict, list])
@pytest.mark.parametrize("levels", [200, 201, 254, 255, 300, 2_000])
def test_bytes_are_the_same_with_and_without_orjson_at_any_depth(kind: type, levels: int) -> None:
    """More than 254 levels are refused by orjson, but not by the standard library's encoder."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if kind is dict else [value]
    with_orjson = dump_json(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dump, "ORJSON", None)
        assert dump_json(value) == with_orjson
    assert (b"<nested too deeply>" in with_orjson) == (levels > limits.JSON_LEVELS)


@given(plain_values)
def test_plain_values_are_stored_as_pydantic_wrote_them(value: Any) -> None:
    """The items of earlier versions keep their digests."""
    earlier = pydantic_core.to_json(value, inf_nan_mode="strings")
    assert canonical_text(parse_json(dump_json(value))) == canonical_text(parse_json(earlier))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_written_as_orjson_writes_them(value: float) -> None:
    """Whichever exponent they have."""
    assert dump.dump_converted(value) == orjson.dumps(value)


@given(anything)
def test_any_value_can_be_stored(value: Any) -> None:
    """What is accepted, the consumer stores."""
    body = write_envelope(**{**ARGUMENTS, "recommendation": {"value": value}, "confidence": value}).body
    assert encode_item(read_envelope(body)).digest


PROGRAM = """
import enum, sys
import pydantic
from recommendation_shared.envelope.writing import write_envelope
from tests.support.envelopes import ARGUMENTS

words = [f"word-{n}" for n in range(50)]

class Thing: pass

class Unprintable:
    def __init__(self, name): self.name = name
    def __hash__(self): return hash(self.name)
    def __str__(self): raise RuntimeError

class Words(enum.Enum):
    ALL = frozenset(words)

class Model(pydantic.BaseModel):
    tags: set[str] = set(words)
    words: Words = Words.ALL

class Broken(Model):
    broken: int = 1
    @pydantic.field_serializer("broken")
    def fail(self, _): raise RuntimeError

thing = Thing(); thing.tags = frozenset(words)
value = [set(words), {frozenset(words[:9]): 1}, thing, Thing(), lambda: 0]
value += [{1: "a", "1": "b"}, dict.fromkeys(words).keys(), {"a": frozenset(words)}.values()]
value += [{(number, Unprintable(number)) for number in words}, Model(), Broken(), [Broken()]]
sys.stdout.buffer.write(write_envelope(**{**ARGUMENTS, "recommendation": {"value": value}}).body)
"""


def test_bytes_are_the_same_in_every_process() -> None:
    """Whatever the seed of its hashes, for the content of sets and for what is said about their members."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    fields = json.loads(outputs.pop())
    assert fields["recommendation"]["value"][7] == [sorted(fields["recommendation"]["value"][0])]
    paths = [mark["path"] for mark in fields["metadata"]["notRepresented"]]
    assert paths == [f"/recommendation/value/8/{number}/1" for number in range(50)]


@given(
    st.recursive(
        st.one_of(st.integers(-(10**17), 10**17), st.floats(1e-100, 1e100), st.text()),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=6,
    )
)
def test_state_read_back_from_dynamodb_has_the_same_digest(value: Any) -> None:
    """boto3's deserializer returns every number as a Decimal."""

    def read_back(part: Any) -> Any:
        if isinstance(part, list):
            return [read_back(child) for child in part]
        return part if isinstance(part, str) else Decimal(str(part))

    def digest(recommendation: Any) -> str:
        body = write_envelope(**{**ARGUMENTS, "recommendation": {"value": recommendation}}).body
        return encode_item(read_envelope(body)).digest

    assert digest(read_back(value)) == digest(value)
