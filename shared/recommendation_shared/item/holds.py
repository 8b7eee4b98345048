"""The attributes by which an item says that its incident is held, or that it is being erased (docs/decisions/0023).

Neither is an envelope's field or part of the digest. Both are small maps of strings.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from recommendation_shared import limits
from recommendation_shared.envelope.field_rules import timestamp
from recommendation_shared.envelope.fields import ERASURE, HOLD, TTL
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.size import item_size

REASON_BYTES: Final = 1000  # our own limit, in UTF-8
_ACTOR_BYTES: Final = 2048  # an ARN's limit (AWS Security Token Service API Reference, GetCallerIdentity)


class Hold(NamedTuple):
    """Why, by whom (ARN) and since when (a sort key) an incident's records are kept.

    All three are empty for an item that has no room for them: its incident's mark has them.
    """

    reason: str
    by: str
    at: str


class Erasure(NamedTuple):
    """By whom (ARN) and when (a sort key) an item was about to be deleted; both are empty if there was no room."""

    by: str
    at: str


def reason(text: str) -> str:
    """Return a reason without blanks around it. Raises `ValueError`, which states the rule."""
    text = text.strip()
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= REASON_BYTES or any(ord(character) < ord(" ") for character in text):
        raise ValueError(f"must be 1 to {REASON_BYTES} bytes of UTF-8 on one line")
    return text


def hold_attribute(hold: Hold) -> AttributeValue:
    """Return the value of the attribute `hold`."""
    return _attribute(hold._asdict())


def read_hold(item: Mapping[str, AttributeValue]) -> Hold | None:
    """Return an item's hold, or None if it has none or a malformed one."""
    texts = _texts(item.get(HOLD), Hold._fields)
    return None if texts is None else Hold(**texts)


def read_erasure(item: Mapping[str, AttributeValue]) -> Erasure | None:
    """Return what an item says about its erasure, or None if it has nothing or something malformed."""
    texts = _texts(item.get(ERASURE), Erasure._fields)
    return None if texts is None else Erasure(**texts)


def fitting_hold(item: Mapping[str, AttributeValue], hold: Hold) -> AttributeValue | None:
    """Return the value of `hold` for an item, which loses its `ttl`: an empty map if the item has no room for more.

    None if not even that fits, which can only happen to an item that has no `ttl` to lose.
    """
    return _fitting({name: item[name] for name in item.keys() - {TTL, HOLD}}, HOLD, hold_attribute(hold))


def fitting_erasure(item: Mapping[str, AttributeValue], erasure: Erasure) -> AttributeValue | None:
    """Return the value of `erasure` for an item: an empty map, or None, if the item has no room for more."""
    return _fitting({name: item[name] for name in item.keys() - {ERASURE}}, ERASURE, _attribute(erasure._asdict()))


def _fitting(item: Mapping[str, AttributeValue], name: str, value: AttributeValue) -> AttributeValue | None:
    empty: AttributeValue = {"M": {}}
    fitting = (choice for choice in (value, empty) if item_size({**item, name: choice}) <= limits.ITEM_BYTES)
    return next(fitting, None)


def _attribute(texts: Mapping[str, str]) -> AttributeValue:
    return {"M": {name: {"S": text} for name, text in texts.items() if text}}


def _texts(attribute: AttributeValue | None, names: tuple[str, ...]) -> dict[str, str] | None:
    """Return the texts of a map that has exactly these names, or none of them; None for anything else."""
    values = None if attribute is None else attribute.get("M")
    if not isinstance(values, Mapping):
        return None
    if not values:
        return dict.fromkeys(names, "")
    texts = {name: value["S"] for name, value in values.items() if isinstance(value, Mapping) and "S" in value}
    return texts if texts.keys() == values.keys() == set(names) and _valid(texts) else None


def _valid(texts: Mapping[str, str]) -> bool:
    try:
        return (
            timestamp(texts["at"]) == texts["at"]
            and 0 < len(texts["by"].encode()) <= _ACTOR_BYTES
            and reason(texts.get("reason", "-")) == texts.get("reason", "-")
        )
    except (AttributeError, ValueError):  # not text, or not of its form
        return False
