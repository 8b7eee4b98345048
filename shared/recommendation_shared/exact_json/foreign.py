"""Values of other people's classes, recognised by what they look like: nothing is imported for them."""

import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from types import SimpleNamespace
from typing import Any, Final

_SHORT_FLOATS: Final = frozenset({"float16", "float32"})
_NUMPY: Final = "numpy"


class Failed:
    """Stands for a value whose own serializer raised."""

    def __init__(self, kind: str) -> None:
        self.kind: Final = kind


def bytes_text(value: bytes) -> str:
    """Return UTF-8 text, or URL-safe base64 of bytes that are not UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return urlsafe_b64encode(value).decode()


def standard_text(value: Any) -> str | None:
    """Return the ISO 8601 text of a date, time or duration, or None for any other value."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return f"{text[:-6]}Z" if text.endswith("+00:00") else text
    if isinstance(value, date | time):
        return value.isoformat()
    return _duration(value) if isinstance(value, timedelta) else None


def _duration(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    days = f"{value.days}D" if value.days else ""
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
    clock += f"{seconds}{fraction}S" * bool(seconds or fraction)
    return f"{sign}P{days}{'T' * bool(clock)}{clock}" if days or clock else "PT0S"


def fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of a model, dataclass, attrs class, named tuple or plain object; None for any other value."""
    kind = type(value)
    if hasattr(kind, "__pydantic_serializer__") and hasattr(value, "model_dump"):
        return _dumped(value)
    if hasattr(kind, "__fields__") and callable(getattr(value, "dict", None)):  # pydantic 1
        dumped = value.dict()
        return dumped if isinstance(dumped, Mapping) else None
    if hasattr(kind, "__dataclass_fields__"):
        return _present(value, (field.name for field in sys.modules["dataclasses"].fields(value)))
    if hasattr(kind, "__attrs_attrs__"):
        return _present(value, (attribute.name for attribute in kind.__attrs_attrs__))
    if hasattr(kind, "__struct_fields__"):  # msgspec
        return _present(value, kind.__struct_fields__)
    if isinstance(value, tuple):
        return _present(value, value._fields)  # type: ignore[attr-defined]  # a named tuple
    if isinstance(value, SimpleNamespace):
        return vars(value)
    has_text = getattr(kind, "__str__") is not object.__str__ or getattr(kind, "__repr__") is not object.__repr__  # noqa: B009 - mypy
    return None if has_text or isinstance(value, Iterator) else attributes(value)


def _present(value: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields that are set."""
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def attributes(value: Any) -> dict[str, Any] | None:
    """Return an object's public attributes, or None if it has none."""
    names = [name for kind in type(value).__mro__ for name in _slots(kind)]
    state = {**_present(value, names), **getattr(value, "__dict__", {})}
    return {name: child for name, child in state.items() if not name.startswith("_")} or None


def _slots(kind: type) -> Iterable[str]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _dumped(model: Any) -> Mapping[str, Any] | None:
    """Return a pydantic model as it dumps itself; a field that cannot be dumped is dumped apart, or marked."""
    try:
        dumped = _with_sets(model.model_dump(mode="json"), model.model_dump(mode="python"))
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001 - a serializer of the host's
        return _dumped_by_field(model)
    return dumped if isinstance(dumped, Mapping) else {"root": dumped}


def _with_sets(dumped: Any, as_python: Any) -> Any:
    """Return a JSON dump in which sets are still sets: the JSON has them in an order that differs by process."""
    if isinstance(as_python, Enum):
        as_python = as_python.value
    if isinstance(as_python, set | frozenset):
        return as_python
    if isinstance(dumped, dict) and isinstance(as_python, Mapping) and len(dumped) == len(as_python):
        pairs = zip(dumped.items(), as_python.values(), strict=True)
        return {name: _with_sets(child, python) for (name, child), python in pairs}
    if isinstance(dumped, list) and isinstance(as_python, list | tuple) and len(dumped) == len(as_python):
        return [_with_sets(child, python) for child, python in zip(dumped, as_python, strict=True)]
    return dumped


def _dumped_by_field(model: Any) -> dict[str, Any]:
    kind = type(model)
    names = [
        *kind.model_fields,
        *getattr(kind, "model_computed_fields", ()),
        *(getattr(model, "model_extra", None) or {}),
    ]
    parts: dict[str, Any] = {}
    for name in names:
        try:
            parts.update(_with_sets(_json_of(model, name), model.model_dump(mode="python", include={name})))
        except Exception as error:  # noqa: BLE001 - as above
            child = getattr(model, name, None)
            # A model inside dumps itself. Any other value must not leave without the serializer that was to change it.
            is_model = hasattr(type(child), "__pydantic_serializer__")
            parts[name] = child if is_model else Failed(f"{kind.__qualname__}.{name}: {type(error).__name__}")
    return parts


def _json_of(model: Any, name: str) -> Any:
    """Return one field as the model dumps it, in which values that pydantic does not know become plain ones."""
    kind = type(model)
    if kind.model_dump.__qualname__ != "BaseModel.model_dump":  # overridden, perhaps to hide something
        return model.model_dump(mode="json", include={name})
    by_alias = bool(kind.model_config.get("serialize_by_alias"))  # `model_dump` takes a `fallback` only since 2.11
    to_python = kind.__pydantic_serializer__.to_python
    return to_python(model, mode="json", include={name}, by_alias=by_alias, fallback=_known)


def _known(value: Any) -> Any:
    """Return an array or scalar as lists and numbers, and an object as its fields. Raises `TypeError` for any other."""
    parts = fields(value)
    if parts is not None:
        return dict(parts)
    converted = array_or_scalar(value)
    if converted is value:
        raise TypeError(f"{type(value).__qualname__} has no fields")
    return converted


def array_or_scalar(value: Any) -> Any:
    """Return the lists and numbers of a numpy array or scalar, or of any other array; anything else as it is."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == _NUMPY and hasattr(value, "dtype"):
        if getattr(value, "shape", ()):
            return list(value)
        scalar = value[()] if kind.__name__ == "ndarray" else value
        if value.dtype.kind in "Mm":
            return str(scalar)
        if value.dtype.name in _SHORT_FLOATS:  # as the shortest text that gives it back, not with a double's digits
            return float(str(scalar))
        item = scalar.item()
        return item if type(item) in (int, float, bool, str, bytes) else str(scalar)
    to_list = getattr(value, "tolist", None)
    return to_list() if callable(to_list) else value
