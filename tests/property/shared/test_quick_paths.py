"""Each fast path agrees, byte for byte, with the plain implementation that defines the result."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommendation_shared import limits
from recommendation_shared.envelope import Envelope
from recommendation_shared.envelope.errors import INVALID_ENVELOPE, EnvelopeError
from recommendation_shared.envelope.fields import RULES
from recommendation_shared.envelope.reading import read_envelope
from recommendation_shared.envelope.writing import write_envelope
from recommendation_shared.exact_json import parse as json_text
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.parse import JsonError, parse_json
from recommendation_shared.item.attribute_value import encode_map
from recommendation_shared.item.quick_encoding import encode_quickly
from tests.support.strategies import envelope_fields, json_objects, json_values

_digits = st.text("0123456789", min_size=1, max_size=25)
# As any program may write them: long, with large exponents or trailing zeros, and at the limits of a float.
_number_texts = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "-"]),
        _digits.map(lambda digits: digits.lstrip("0") or "0"),
        st.one_of(st.just(""), _digits.map(lambda digits: f".{digits}")),
        st.one_of(
            st.just(""), st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), _digits)
        ),
    ),
)
_json_texts = st.one_of(
    st.lists(st.one_of(_number_texts, st.text().map(json.dumps), st.floats().map(json.dumps)), max_size=6).map(
        lambda parts: f"[{','.join(parts)}]"
    ),
    json_values.map(canonical_text),
    st.floats().map(repr),
    st.text(max_size=20),
)


@given(json_objects)
def test_quick_encoding_equals_the_plain_one(values: dict[str, Any]) -> None:
    """Where it cannot guarantee that, it returns None."""
    assert encode_quickly(values) in (None, encode_map(values).encode())


@given(json_objects)
def test_quick_encoding_returns_none_only_for_odd_names(values: dict[str, Any]) -> None:
    """Otherwise the plain implementation would do most of the work."""
    if not _has_odd_name(values):
        assert encode_quickly(values) is not None


def _has_odd_name(value: Any) -> bool:
    if isinstance(value, dict):
        return any(name == "" or name.endswith('"') or _has_odd_name(value[name]) for name in value)
    return isinstance(value, list) and any(map(_has_odd_name, value))


@pytest.mark.parametrize("name", ["", 'a"', "é" * 32_768])
def test_quick_encoding_leaves_odd_names_to_the_plain_one(name: str) -> None:
    """DynamoDB rejects the first and the last."""
    assert encode_quickly({"a": [{name: 1}]}) is None


def test_quick_encoding_leaves_lone_surrogates_to_the_plain_one() -> None:
    """A caller of the encoder may pass one, but it has no UTF-8 encoding."""
    assert encode_quickly({"a": "\ud800"}) is None


@given(_json_texts)
@example("[0.1000000000000000055,1e400,1e-400,12345678901234567,-0,-0.0,1E100,1.50]")
@example('["\\ud800", NaN, -Infinity, 1e5]')
@example("\ufeff[]")
def test_quick_parsing_equals_exact_parsing(text: str) -> None:
    """It returns the same numbers, whatever their type, and the same strings, and raises the same errors."""
    assert _result(parse_json, text) == _result(json_text.parse_exactly, text.encode())


@given(st.binary(max_size=40))
def test_quick_parsing_of_bytes_equals_exact_parsing(raw: bytes) -> None:
    """Whether or not they are UTF-8."""
    assert _result(parse_json, raw) == _result(json_text.parse_exactly, raw)


def _result(parse: Callable[[Any], Any], source: str | bytes) -> tuple[str, str]:
    try:
        return "value", canonical_text(parse(source))
    except JsonError as error:
        return "error", str(error)


def test_width_does_not_count_as_depth() -> None:
    """The limit is on levels, not on brackets, and brackets in strings do not count."""
    wide = [[number, {"n": number}] for number in range(limits.JSON_LEVELS)]
    assert parse_json(json.dumps(wide)) == wide
    deepest = "[" * limits.JSON_LEVELS + "]" * limits.JSON_LEVELS
    assert canonical_text(parse_json(deepest)) == deepest
    with pytest.raises(JsonError, match="at most 254 levels"):
        parse_json(f"[{deepest}]")
    assert parse_json(json.dumps("[" * 300)) == "[" * 300


@given(envelope_fields, st.sampled_from(sorted(RULES)), st.one_of(st.just(...), json_values))
def test_reading_without_the_model_equals_reading_with_it(fields: dict[str, Any], name: str, value: Any) -> None:
    """Both return the same fields, or raise the same detail; the value `...` omits the field."""
    message = {**json.loads(write_envelope(**fields).body), name: value}
    if value is ...:
        del message[name]
    body = canonical_text(message)
    parsed = parse_json(body)
    try:
        read = read_envelope(body)
    except EnvelopeError as error:
        if error.reason == INVALID_ENVELOPE and name != "confidence":  # an invalid one is kept as text, not refused
            with pytest.raises(ValidationError) as raised:
                Envelope.model_validate(parsed)
            assert error.detail == _detail(raised.value)
    else:
        assert Envelope.from_json(body).to_fields() == read


def _detail(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{each['loc'][0]}: {each['msg'].removeprefix('Value error, ')}" for each in errors)
