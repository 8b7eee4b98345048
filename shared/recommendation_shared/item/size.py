"""The size of an item by DynamoDB's rule (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats")."""

from collections.abc import Mapping
from decimal import Context, Decimal

from recommendation_shared.item.attribute_value import AttributeValue

_EXACT = Context(prec=38)  # the default context rounds to 28 digits
_CONTAINER_BYTES = 3
_ELEMENT_BYTES = 1  # per element of a list, or per entry of a map


def item_size(item: Mapping[str, AttributeValue]) -> int:
    """Return the size in bytes of an item in DynamoDB JSON: names and values in UTF-8, without index overhead."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(attribute: AttributeValue) -> int:
    """Return the size in bytes of one attribute value, without its name."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_size(value)
        case "M":
            return _CONTAINER_BYTES + len(value) * _ELEMENT_BYTES + item_size(value)
        case "L":
            return _CONTAINER_BYTES + sum(_ELEMENT_BYTES + value_size(child) for child in value)
        case _:  # BOOL or NULL: our items hold no other type
            return 1


def _number_size(text: str) -> int:
    """Return 1 byte, plus 1 per pair of significant digits (aligned at the decimal point), plus 1 for a minus sign."""
    sign, digits, exponent = Decimal(text).normalize(_EXACT).as_tuple()
    if digits == (0,) or not isinstance(exponent, int):
        return 1
    first, last = exponent + len(digits) - 1, exponent
    return 1 + (first // 2 - last // 2 + 1) + sign
