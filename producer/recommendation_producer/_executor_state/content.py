"""What an output says, field by field, for comparing outputs within one process."""

from collections.abc import Mapping
from decimal import Decimal
from json import JSONEncoder
from typing import Any, Final

from recommendation_shared.exact_json.plain import to_plain

Content = Mapping[str, int]  # a hash of each field's JSON, by the field's name; of this process only
# Characters and values of one state that are compared, at about 10 ms. What is beyond is compared by identity.
MAX_SIZE: Final = 1_000_000
_NULL: Final = hash("null")
_VALUE: Final = 8  # what a number, or an entry of a container, counts


class Budget:
    """How much more of one state may be compared by its content."""

    def __init__(self, size: int = MAX_SIZE) -> None:
        self._left = size

    def takes(self, value: Any) -> bool:
        """Return whether there is room for this value, and take it. Looks at no more of it than there is room for."""
        waiting, size = [value], 0
        for each in waiting:  # which grows
            if isinstance(each, str | bytes):
                size += len(each)
            elif isinstance(each, Mapping):
                size += _VALUE * len(each)
                waiting += each.values()
            elif isinstance(each, list | tuple | set | frozenset):
                size += _VALUE * len(each)
                waiting += each
            else:
                size += _VALUE + int(getattr(each, "nbytes", 0))  # of an array
                waiting += getattr(each, "__dict__", {}).values()
            if size > self._left:
                return False
        self._left -= size
        return True


def content_of(fields: Mapping[str, Any], budget: Budget) -> Content | None:
    """Return an output's content, or None if it is too large to be compared."""
    if not budget.takes(fields):
        return None
    return {name: hash(_canonical(value)) for name, value in fields.items()}


def adds_nothing(new: Content, known: Content) -> bool:
    """Return whether all that `new` says is in `known`: it may lack fields, or have null for them."""
    return all(known.get(name, _NULL) == value or value == _NULL for name, value in new.items())


def same_but_for_timestamp(one: Content, other: Content) -> bool:
    """Return whether two contents give the same recommendation, apart from its timestamp."""
    return {**one, "timestamp": _NULL} == {**other, "timestamp": _NULL}


def _canonical(value: Any) -> str:
    try:
        return _CANONICAL.encode(value)
    except Exception:  # noqa: BLE001 - keys that cannot be sorted, circles, or whatever a host's object raises
        return _CANONICAL.encode(to_plain(value)[0])


def _plain(value: Any) -> Any:
    plain = to_plain(value)[0]
    return str(plain) if isinstance(plain, Decimal) else plain


_CANONICAL: Final = JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)
