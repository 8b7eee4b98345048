"""Write whatever value an agent may hold as JSON that SQS accepts."""

from json.encoder import JSONEncoder, encode_basestring  # not `json.JSONEncoder`, which hosts replace
from typing import Any, Final

from recommendation_shared import limits
from recommendation_shared.exact_json.orjson_if_usable import ORJSON
from recommendation_shared.exact_json.plain import SCALARS, to_plain

_PLAIN_VALUES_ONLY: Final = (
    0
    if ORJSON is None
    else (ORJSON.OPT_PASSTHROUGH_DATACLASS | ORJSON.OPT_PASSTHROUGH_DATETIME | ORJSON.OPT_PASSTHROUGH_SUBCLASS)
)
_POSITIONAL: Final = -5  # the one exponent that Python writes and orjson does not
# Between these, a float's text has no exponent.
_SMALLEST: Final = 1e-4
_LARGEST: Final = 1e16
_MOST: Final = 4_000_000  # entries of all containers, many times those of the largest item
_COMPACT: Final = JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))


def has_orjson() -> bool:
    """Return whether orjson writes the JSON, in a tenth of the time that it takes without it."""
    return ORJSON is not None


def dump_json(value: Any) -> bytes:
    """Serialise any value as UTF-8 JSON that SQS accepts; see `plain` for what each kind becomes. Never raises.

    The bytes are the same with and without orjson, unless a value of more than 200 levels holds a number that only one
    of the two ways writes without converting the value, which keeps no more levels: 1e-5, or an int of 65 bits.
    """
    body = dump_plain(value)
    return dump_converted(to_plain(value)[0]) if body is None else body


def dump_plain(value: Any) -> bytes | None:
    """Return the JSON of a value that consists of plain values only, or None if it may not."""
    if ORJSON is None:
        return dump_checked(value) if is_plain(value) else None
    try:
        body: bytes = ORJSON.dumps(value, option=_PLAIN_VALUES_ONLY)
    except Exception:  # noqa: BLE001 - not all values are plain, nested too deeply, or the host has changed its orjson
        return None
    # orjson writes NaN and the infinities as null. Searching from the end takes a third of the time, because a forward
    # search stops at every "l".
    if body.rfind(b"null") >= 0 and not is_plain(value):
        return None
    # A copy, because orjson's bytes keep the room that they were written in: up to 64 KiB each, in a buffer of 5 KB.
    return sqs_safe(bytes(memoryview(body)))


def dump_checked(value: Any) -> bytes | None:
    """Return the JSON of a value that `is_plain`, or None if some text in it is not Unicode."""
    try:
        return sqs_safe(_COMPACT.encode(value).encode())
    except Exception:  # noqa: BLE001 - a lone surrogate, an int of too many digits, or the host has changed the encoder
        return None


def is_plain(value: Any) -> bool:
    """Return whether every JSON library writes the value alike. Never raises.

    It then has plain kinds, text keys, floats without exponent, and no more levels than orjson writes. A circle has too
    many levels, or too many entries.
    """
    try:
        return _is_plain(value)
    except RuntimeError:  # another thread has changed a dictionary meanwhile
        return False


def _is_plain(value: Any) -> bool:  # noqa: C901, PLR0912 - calls would cost more than the checks
    # The two loops differ only in the keys. One for both, with the keys checked beforehand, takes 1.3 times as long.
    level, left = [value], _MOST
    for _ in range(limits.JSON_LEVELS):
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                for key, child in container.items():
                    if type(key) is not str:
                        return False
                    kind = type(child)
                    if kind is str or kind is int:  # most are, and this is faster than the set below
                        continue
                    if kind is float:
                        if not (_SMALLEST <= child < _LARGEST or -_LARGEST < child <= -_SMALLEST or child == 0):
                            return False
                    elif kind not in SCALARS:
                        below.append(child)
            elif type(container) is list or type(container) is tuple:
                for child in container:
                    kind = type(child)
                    if kind is str or kind is int:
                        continue
                    if kind is float:
                        if not (_SMALLEST <= child < _LARGEST or -_LARGEST < child <= -_SMALLEST or child == 0):
                            return False
                    elif kind not in SCALARS:
                        below.append(child)
            else:
                return False
            left -= len(container)
            if left < 0:
                return False
        if not below:
            return True
        level = below
    return False


def dump_converted(value: Any) -> bytes:
    """Return the JSON of a converted value (see `to_plain`): with exact numbers, and floats as orjson writes them."""
    return sqs_safe(_json_text(value).encode())


def _json_text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ",".join([f"{encode_basestring(key)}:{_json_text(child)}" for key, child in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_json_text(child) for child in value]) + "]"
    return _float_text(value) if isinstance(value, float) else _exact_text(value)


def _float_text(value: float) -> str:
    """Return a float's shortest text with an exponent as orjson 3.11 and later write it: 1e-7, 1e+16, and 0.00001."""
    text = repr(value)
    if "e" not in text:
        return text
    digits, _, exponent = text.partition("e")
    if int(exponent) == _POSITIONAL:
        sign, digits = ("-", digits[1:]) if value < 0 else ("", digits)
        return f"{sign}0.0000{digits.replace('.', '')}"
    return f"{digits}e{int(exponent):+d}"


def _exact_text(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # an int of more than 4,300 digits, which `str` refuses
        from decimal import Decimal  # noqa: PLC0415 - hardly ever needed

        return format(Decimal(value), "f")


def sqs_safe(body: bytes) -> bytes:
    """Escape U+FFFE and U+FFFF, which JSON allows and SQS rejects (SendMessage, "InvalidMessageContents")."""
    if b"\xef" in body:  # their first byte, which is rare: this is 50 times as fast as searching for all three
        body = body.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")
    return body
