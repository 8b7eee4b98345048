"""What an output says, field by field, for comparing outputs within one process."""

from collections.abc import Mapping
from json import JSONEncoder
from typing import Any, Final

from recommendation_shared.exact_json.orjson_if_usable import ORJSON
from recommendation_shared.exact_json.plain import to_plain

Content = Mapping[str, int]  # a hash of each field's JSON with sorted keys, by the field's name; of this process only
# Bytes of JSON that are compared for one state, at about 10 ms (without orjson, 80). Outputs beyond that are compared
# by identity. A value that is not plain JSON takes as long as a thousand bytes, because it is converted in Python.
MAX_BYTES: Final = 4_000_000
_VALUE: Final = 1_000


class Budget:
    """How much more of one state may be compared by its content."""

    def __init__(self, size: int = MAX_BYTES) -> None:
        self._left = size

    def takes(self, size: int) -> bool:
        """Take as many bytes; return whether they were left."""
        self._left -= size
        return self._left >= 0

    def takes_values_of(self, value: Any) -> bool:
        """Take what converting a value costs; return whether it was left. Looks at no more of the value than that."""
        waiting = [value]
        for each in waiting:  # which grows
            if not self.takes(_VALUE + (len(each) if isinstance(each, str | bytes) else 0)):
                return False
            if isinstance(each, Mapping):
                waiting += each.values()
            elif isinstance(each, list | tuple | set | frozenset):
                waiting += each
            elif not isinstance(each, type):
                self.takes(int(getattr(each, "nbytes", 0)))  # of an array
                waiting += getattr(each, "__dict__", {}).values()
        return True


def content_of(fields: Mapping[str, Any], budget: Budget) -> Content | None:
    """Return an output's content, or None if it cannot be compared: it is too large, or raises when it is read."""
    try:
        return _hashes_of(fields, budget)
    except Exception:  # noqa: BLE001 - a host's object may raise anything; what it costs is the comparison
        return None


def _hashes_of(fields: Mapping[str, Any], budget: Budget) -> Content | None:
    content = {}
    for name, value in fields.items():
        text = _sorted_json(value)
        if text is None:
            if not budget.takes_values_of(value):
                return None
            plain = to_plain(value)[0]
            text = _sorted_json(plain) or _EXACT.encode(plain)
        elif not budget.takes(len(text)):
            return None
        content[name] = hash(text)
    return content


def adds_nothing(new: Content, known: Content) -> bool:
    """Return whether all that `new` says is in `known`: it may lack fields, or have null for them."""
    return all(value in (known.get(name, _NULL), _NULL) for name, value in new.items())


def same_but_for_timestamp(one: Content, other: Content) -> bool:
    """Return whether two contents give the same recommendation, apart from its timestamp."""
    return {**one, "timestamp": _NULL} == {**other, "timestamp": _NULL}


def _sorted_json(value: Any) -> bytes | str | None:
    """Return JSON that is the same for the same content in this process, or None if not all of it is plain."""
    try:
        return _ENCODER.encode(value) if ORJSON is None else ORJSON.dumps(value, option=_SORTED)
    except Exception:  # noqa: BLE001 - an object, keys of several kinds, a circle, or whatever a host's mapping raises
        return None


_ENCODER: Final = JSONEncoder(sort_keys=True, separators=(",", ":"))
_EXACT: Final = JSONEncoder(sort_keys=True, default=str)  # of Decimals, and integers of any size
_SORTED: Final = (
    0 if ORJSON is None else ORJSON.OPT_SORT_KEYS | ORJSON.OPT_PASSTHROUGH_DATACLASS | ORJSON.OPT_PASSTHROUGH_SUBCLASS
)
_NULL: Final = hash(_sorted_json(None))
