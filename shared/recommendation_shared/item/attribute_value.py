"""Convert JSON values to DynamoDB attribute values and back.

Values that JSON allows and DynamoDB does not are stored as text: NaN, a number out of range, a map or list below the
nesting limit, an entry whose name is empty or too long.
"""

from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text, quote
from recommendation_shared.exact_json.numbers import NONZERO, as_text, number_text

_NAME_PREFIX = 100  # characters

AttributeValue = Mapping[str, Any]  # such as {"S": "text"}, the low-level client's form


def encode_map(values: Mapping[str, Any], level: int = 0) -> str:
    """Return DynamoDB JSON (`{"name":{"S":"…"},…}`) with sorted names; equal maps give identical bytes.

    `values` holds parsed JSON (see `parse_json`). `level` is the nesting level of the map itself, 0 for an item.
    """
    # A character has at most 4 bytes, so only the bytes of a long name need to be counted.
    if "" in values or max(map(len, values), default=0) * 4 > limits.ATTRIBUTE_NAME_BYTES:
        values = _with_storable_names(values)
    inner = level + 1
    return "{" + ",".join([f"{quote(name)}:{_encode(values[name], inner)}" for name in sorted(values)]) + "}"


def _encode(value: Any, level: int) -> str:
    if isinstance(value, str):
        return f'{{"S":{quote(value)}}}'
    if value is None:
        return '{"NULL":true}'
    if isinstance(value, bool):
        return '{"BOOL":true}' if value else '{"BOOL":false}'
    if isinstance(value, dict | list):
        if level > limits.CONTAINER_LEVELS:
            return f'{{"S":{quote(canonical_text(value))}}}'
        if isinstance(value, dict):
            return f'{{"M":{encode_map(value, level)}}}'
        inner = level + 1
        return '{"L":[' + ",".join([_encode(child, inner) for child in value]) + "]}"
    text = number_text(value)
    return f'{{"S":{quote(as_text(value))}}}' if text is None else f'{{"N":"{text}"}}'


def _with_storable_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace each entry whose name DynamoDB rejects by its JSON text, under a prefix of the name and "…"."""
    stored = {name: values[name] for name in values if 0 < len(name.encode()) <= limits.ATTRIBUTE_NAME_BYTES}
    for name in sorted(values.keys() - stored.keys()):
        stand_in = name[:_NAME_PREFIX] + "…"
        while stand_in in stored:
            stand_in += "…"
        stored[stand_in] = canonical_text({name: values[name]})
    return stored


def decode_map(item: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Return plain JSON values: whole numbers as int, others as Decimal, binary as base64 text, sets as sorted lists.

    Binary values may be bytes, as botocore's clients return them, or base64 text, as DynamoDB returns them. Raises
    `ValueError` for an unknown DynamoDB type.
    """
    # The common types are told apart here: a call for each value would take nearly half of the time.
    return {
        name: value["S"]
        if "S" in value
        else decode_map(value["M"])
        if "M" in value
        else _number(value["N"])
        if "N" in value
        else _decode(value)
        for name, value in item.items()
    }


def _decode(attribute: AttributeValue) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "NULL":
            return None
        case "N":
            return _number(value)
        case "M":
            return decode_map(value)
        case "L":
            return [
                child["S"] if "S" in child else decode_map(child["M"]) if "M" in child else _decode(child)
                for child in value
            ]
        case "B":  # our items hold no binary values or sets, but a reader must show foreign ones
            return value if isinstance(value, str) else b64encode(value).decode()
        case "SS" | "NS" | "BS":
            return sorted(_decode({kind[0]: child}) for child in value)
        case _:
            raise ValueError(f"unknown DynamoDB type {kind!r}: expected S, N, BOOL, NULL, M, L, B, SS, NS or BS")


def _number(text: str) -> int | Decimal:
    if text.isascii() and text.isdecimal():  # most are whole numbers, and `int` takes a third of the time
        return int(text)
    number = Decimal(text)
    if "." in text and text[-1] in NONZERO and "E" not in text:  # as DynamoDB returns numbers that are not whole
        return number
    return int(number) if number == number.to_integral_value() else number
