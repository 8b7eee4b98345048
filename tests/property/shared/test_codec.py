"""The codec agrees with boto3's own serialiser and deserialiser, for every JSON value."""

import json
import random
from decimal import Decimal
from math import isfinite
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.numbers import as_text, number_text
from recommendation_shared.item.attribute_value import decode_map, encode_map
from tests.support.strategies import decimals, json_objects, json_values, numbers

_deserialize = TypeDeserializer().deserialize
_serialize = TypeSerializer().serialize


def _encoded(value: dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encode_map(value))
    return parsed


def _fits(number: float | Decimal) -> bool:
    """Return whether DynamoDB can hold a number; written from its documentation, independently of the codec."""
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        return False
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    return not digits or (len(digits) <= 38 and Decimal("1E-130") <= abs(exact) <= Decimal("9." + "9" * 37 + "E+125"))


def _free_name(named: dict[str, Any]) -> str:
    return next(name for name in ("…" * length for length in range(1, 99)) if name not in named)


def _represented(value: Any) -> Any:
    """Return what boto3 should read back for a JSON value: itself, or its text if DynamoDB cannot hold it."""
    if isinstance(value, dict):
        named = {name: _represented(value[name]) for name in value if name}
        return {**named, _free_name(named): canonical_text({"": value[""]})} if "" in value else named
    if isinstance(value, list):
        return [_represented(child) for child in value]
    if value is None or isinstance(value, str | bool):
        return value
    if not _fits(value):
        return as_text(value)
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


@given(json_values)
def test_boto3_reads_back_every_json_value(value: Any) -> None:
    """Numbers are equal as decimals; what DynamoDB cannot hold is read back as its text."""
    assert _deserialize(_encoded({"a": value})["a"]) == _represented(value)


@given(json_values)
def test_our_decoder_agrees_with_boto3s(value: Any) -> None:
    """`decode_map` differs from boto3 in types only: a whole number is an int."""
    item = _encoded({"a": value})
    assert decode_map(item)["a"] == _deserialize(item["a"])


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.text(), st.integers(-(10**37), 10**37)), st.lists))
def test_boto3s_serializer_produces_the_same_attribute_values(value: Any) -> None:
    """For values that boto3 accepts (no floats), the two encodings are the same JSON."""
    assert _encoded({"a": value}) == {"a": _serialize(value)}


@given(json_objects, st.randoms(use_true_random=False))
def test_dict_order_does_not_change_a_byte(value: dict[str, Any], rng: random.Random) -> None:
    """Two encodings of equal maps are byte-identical."""

    def shuffled(node: Any) -> Any:
        if isinstance(node, dict):
            names = list(node)
            rng.shuffle(names)
            return {name: shuffled(node[name]) for name in names}
        return [shuffled(child) for child in node] if isinstance(node, list) else node

    assert encode_map(shuffled(value)) == encode_map(value)


@given(json_objects)
def test_decoded_value_encodes_to_the_same_bytes(value: dict[str, Any]) -> None:
    """So a digest of the encoding survives the table."""
    encoded = encode_map(value)
    assert encode_map(decode_map(json.loads(encoded))) == encoded


@given(decimals)
def test_equal_numbers_have_the_same_text(number: Decimal) -> None:
    """`1.0`, `1` and `1E0` are the same number, and -0 is 0."""
    text = number_text(number)
    assert text == number_text(number * 10 / 10 if len(number.as_tuple().digits) < 20 else number)
    if text is not None:
        assert Decimal(text) == number
        assert ("E" in text) == (abs(number) >= Decimal("1E+38"))
        assert text != "-0"
        assert number_text(Decimal(text)) == text


@given(numbers)
def test_number_is_rejected_exactly_where_dynamodb_rejects_it(number: float | Decimal) -> None:
    """It accepts 38 digits, from 1E-130 to 9.99E+125; everything else is stored as text."""
    assert (number_text(number) is not None) == _fits(number)


@given(st.floats().filter(isfinite))
def test_float_keeps_its_exact_decimal_text(number: float) -> None:
    """0.1 is stored as 0.1, not as its binary approximation."""
    text = number_text(number)
    assert text is None or Decimal(text) == Decimal(repr(number))


@given(st.integers(1, 60))
def test_nesting_beyond_32_levels_is_stored_as_text(depth: int) -> None:
    """The real service accepts 31 maps around a leaf; see `limits.CONTAINER_LEVELS`."""
    value: Any = 7
    for _ in range(depth):
        value = {"n": value}
    attribute, containers = _encoded({"a": value})["a"], 0
    while "M" in attribute:
        attribute, containers = attribute["M"]["n"], containers + 1
    assert containers == min(depth, limits.CONTAINER_LEVELS)
    assert attribute == {"N": "7"} if depth <= 31 else set(attribute) == {"S"}


def test_entry_with_a_name_that_dynamodb_rejects_is_stored_as_text() -> None:
    """Names have 1 to 65,535 bytes; the other entries of the map are unchanged."""
    assert _encoded({"a": {"": 1, "b": 2}}) == {"a": {"M": {"b": {"N": "2"}, "…": {"S": '{"":1}'}}}}
    assert _encoded({"a": {"": 1, "…": 2}}) == {"a": {"M": {"…": {"N": "2"}, "……": {"S": '{"":1}'}}}}
    longest = "é" * 32_767
    assert _encoded({"a": {longest: 1}}) == {"a": {"M": {longest: {"N": "1"}}}}
    assert _encoded({"a": {longest + "é": 1}}) == {
        "a": {"M": {"é" * 100 + "…": {"S": canonical_text({longest + "é": 1})}}}
    }
