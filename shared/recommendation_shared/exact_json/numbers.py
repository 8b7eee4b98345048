"""The canonical text of numbers: exact decimals of at most 38 digits, as DynamoDB holds them."""

from decimal import Decimal
from math import isfinite, isnan
from typing import Final

from recommendation_shared import limits

EXACT_INT: Final = 10**18  # a smaller int certainly has at most 38 digits, and its own text is canonical


_DIGITS: Final = dict.fromkeys(map(ord, "-.0123456789"))  # for `str.translate`, which removes them
NONZERO: Final = frozenset("123456789")


def number_text(value: float | Decimal) -> str | None:
    """Return the canonical text of a number, or None if DynamoDB cannot hold it.

    Equal numbers have equal text: plain decimal digits without superfluous zeros or a negative zero, and from 1E+38 on
    an exponent. So a number that the table returns in another notation gets the same text again.
    """
    if isinstance(value, int) and -EXACT_INT < value < EXACT_INT:
        return int.__repr__(value)
    if isinstance(value, float):
        if not isfinite(value):
            return None
        text = float.__repr__(value)  # not repr(), which a subclass may override
        if "e" not in text:
            return "0" if value == 0 else text.removesuffix(".0")
        value = Decimal(text)
    return decimal_text(Decimal(value))


def decimal_text(value: Decimal) -> str | None:
    """Return a Decimal's text, as `number_text` does."""
    plain = str(value)
    # Most numbers need nothing removed; "N" is that of NaN, which digits may follow.
    if plain[-1] in NONZERO and "E" not in plain and "N" not in plain and len(plain) <= limits.NUMBER_DIGITS:
        return plain
    if len(plain) <= limits.NUMBER_DIGITS and plain.translate(_DIGITS) == "":  # neither an exponent nor NaN
        text = plain.rstrip("0").removesuffix(".") if "." in plain else plain
        return "0" if text == "-0" else text
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # a letter marks NaN and the infinities
        return None
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not significant:
        return "0"
    leading = exponent + len(text) - 1
    if len(significant) > limits.NUMBER_DIGITS:
        return None
    if not limits.NUMBER_MIN_EXPONENT <= leading <= limits.NUMBER_MAX_EXPONENT:
        return None
    exact = Decimal((sign, tuple(map(int, significant)), leading - len(significant) + 1))
    # Plain digits, unless trailing zeros make them more than 38, which boto3 cannot read.
    return format(exact, "f") if leading < limits.NUMBER_DIGITS else f"{exact:E}"


def as_text(value: float | Decimal) -> str:
    """Return any number as JSON-like text, even if DynamoDB cannot hold it (`NaN`, `Infinity`, 39 digits)."""
    canonical = number_text(value)
    if canonical is not None:
        return canonical
    if isinstance(value, float):
        if not isfinite(value):
            return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
        value = Decimal(float.__repr__(value))
    return str(Decimal(value))  # not str(int), which raises on more than 4,300 digits
