r"""Any Python value as plain JSON values, the same in every process.

| value | becomes |
|---|---|
| mapping | an object; keys become text, and keys that become equal stay apart |
| dataclass, attrs class, named tuple, object with fields and no text of its own | an object of its fields |
| pydantic model | its own dump: excluded fields never appear, computed fields and extras do |
| enum member | its value |
| list, tuple, other sequence, array, the values of a mapping | a list |
| set | a list, sorted by the members' canonical JSON |
| numpy scalar or array | numbers and lists |
| Decimal | a number; NaN and the infinities are text, as for floats |
| datetime, date, time, timedelta | ISO 8601 |
| UUID, path, other object | its text (`str`) |
| bytes | UTF-8 text, or base64 where it is not UTF-8 |
| iterator, generator, coroutine | its type in angle brackets: it is not read |
| lone surrogate | its escape as text (`\ud800`) |
| circle, value that raises, more than 200 levels | its kind in angle brackets |

Values that are only named (iterators, and the last row) are reported as marks.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, Final

from recommendation_shared.exact_json import foreign
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.exact_json.numbers import as_text, number_text

DEEPEST: Final = 200  # levels, of the 254 that are allowed: the envelope needs some
_SHALLOW: Final = 40  # levels where the caller's stack leaves room for no more
_MARKS: Final = 50  # that are reported
_ADDRESS: Final = r" at 0x[0-9a-fA-F]+"  # differs in every process

SCALARS: Final = frozenset({str, int, bool, type(None)})


class Mark:
    """A value that could not be represented: its JSON pointer, and what stands in its place."""

    def __init__(self, path: str, text: str) -> None:
        self.path: Final = path
        self.text: Final = text


def to_plain(value: Any) -> tuple[Any, list[Mark]]:
    """Return plain JSON values (dict, list, str, int, float, Decimal, bool, None), and what was marked in its place.

    Neither changes nor keeps the value, and never raises, whatever its objects do.
    """
    for deepest in (DEEPEST, _SHALLOW):
        conversion = _Conversion(deepest)
        try:
            return conversion.convert(value, 1, ""), conversion.marks
        except RecursionError:
            continue
    return "<nested too deeply>", [Mark("", "<nested too deeply>")]


class _Conversion:
    def __init__(self, deepest: int) -> None:
        self.marks: list[Mark] = []
        self._deepest = deepest
        self._open: set[int] = set()

    def convert(self, value: Any, level: int, path: str) -> Any:
        kind = type(value)
        if kind is str:
            return _text(value)
        if kind is float:
            return _number(value)
        if kind in SCALARS:
            return value
        if level > self._deepest:
            return self._mark(path, "<nested too deeply>")
        if id(value) in self._open:
            return self._mark(path, "<circular reference>")
        self._open.add(id(value))
        try:
            return self._convert_other(value, level, path)
        except RecursionError:
            raise
        except Exception as error:  # noqa: BLE001 - a host's object may raise anything; only its own value is lost
            return self._mark(path, f"<{kind.__qualname__}: {type(error).__name__}>")
        finally:
            self._open.discard(id(value))

    def _convert_other(self, value: Any, level: int, path: str) -> Any:  # noqa: C901, PLR0912 - one branch a kind
        if isinstance(value, Enum):
            return self.convert(value.value, level, path)
        if isinstance(value, str):
            return _text(str.__str__(value))
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return _number(float.__float__(value))
        if isinstance(value, Decimal):
            return _decimal(value)
        if isinstance(value, Mapping):
            return self._object(value.items(), level, path)
        if isinstance(value, list) or (isinstance(value, tuple) and not hasattr(value, "_fields")):
            return self._list(value, level, path)
        if isinstance(value, AbstractSet):  # a dict's keys and items, too
            return self._set(value, level, path)
        if isinstance(value, ValuesView):
            return self._list(value, level, path)
        if isinstance(value, bytes | bytearray | memoryview):
            return foreign.bytes_text(bytes(value))
        if (text := foreign.standard_text(value)) is not None:
            return _text(text)
        if isinstance(value, foreign.Failed):
            return self._mark(path, f"<{value.kind}>")
        if (parts := foreign.fields(value)) is not None:
            return self._object(parts.items(), level, path)
        if isinstance(value, Iterator) or hasattr(value, "__anext__") or hasattr(value, "__await__"):
            return self._mark(path, f"<{type(value).__qualname__}>")
        if (converted := foreign.array_or_scalar(value)) is not value:
            return self.convert(converted, level, path)
        if isinstance(value, Sequence) and not isinstance(value, range):
            return self._list(value, level, path)
        return self._text_of_object(value, path)

    def _object(self, items: Iterable[tuple[Any, Any]], level: int, path: str) -> dict[str, Any]:
        pairs = list(items)
        # Keys that are text keep their names, whatever the other keys would become.
        taken = {key for key, _ in pairs if type(key) is str}
        named = [
            (key if type(key) is str and _text(key) == key else _free_name(key, taken), child) for key, child in pairs
        ]
        return {name: self.convert(child, level + 1, f"{path}/{name}") for name, child in named}

    def _list(self, values: Any, level: int, path: str) -> list[Any]:
        return [self.convert(child, level + 1, f"{path}/{index}") for index, child in enumerate(values)]

    def _set(self, values: Any, level: int, path: str) -> list[Any]:
        """Return the members in the order of their canonical JSON, by which their marks count them, too."""
        marks, members = self.marks, []
        try:
            for child in values:
                self.marks = []
                members.append((self.convert(child, level + 1, ""), self.marks))
        finally:
            self.marks = marks
        members.sort(
            key=lambda member: (
                canonical_text(member[0]),
                _spelling(member[0]),
                [(mark.path, mark.text) for mark in member[1]],
            )
        )
        for index, (_, found) in enumerate(members):
            self._report(Mark(f"{path}/{index}{mark.path}", mark.text) for mark in found)
        return [member for member, _ in members]

    def _text_of_object(self, value: Any, path: str) -> str:
        try:
            return _text(re.sub(_ADDRESS, "", str(value)))
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - foreign code; one broken value must not cost the whole recommendation
            return self._mark(path, f"<{type(value).__qualname__}>")

    def _mark(self, path: str, text: str) -> str:
        self._report([Mark(path, text)])
        return text

    def _report(self, marks: Iterable[Mark]) -> None:
        self.marks += islice(marks, _MARKS - len(self.marks))


def _spelling(plain: Any) -> str:
    """Return what tells values of the same canonical JSON apart, such as 1 and 1.0: they may come from enums."""
    try:
        return repr(plain)
    except ValueError:  # an int of more than 4,300 digits
        return ""


def _free_name(key: Any, taken: set[str]) -> str:
    try:
        name = _key_text(key)
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 - a host's object may raise anything; its value is kept
        name = f"<{type(key).__qualname__}: {type(error).__name__}>"
    if name in taken:
        name = f"{name} ({type(key).__name__})"
        while name in taken:
            name += "…"
    taken.add(name)
    return name


def _key_text(key: Any) -> str:
    if isinstance(key, Enum):
        return _key_text(key.value)
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        return "None"
    if isinstance(key, tuple):
        return ",".join(map(_key_text, key))
    plain, _ = to_plain(key)
    return plain if isinstance(plain, str) else canonical_text(plain)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _number(value: float) -> float | str:
    return value if value - value == 0 else as_text(value)  # a difference of infinities, like NaN, is NaN


def _decimal(value: Decimal) -> Any:
    """Return the int or float that a Decimal was before it went through DynamoDB; else the Decimal, or its text."""
    text = number_text(value)
    if text is None:
        return as_text(value) if value.is_finite() else str(value)
    if "." not in text and "E" not in text:
        return int(text)
    number = float(text)
    return number if number_text(number) == text else Decimal(text)
