"""Decide what a change of the table is: nothing, or a reason to keep the item as it was before."""

from enum import Enum
from typing import Final

from recommendation_consumer.keeper.change import Change, Image
from recommendation_shared.envelope.fields import DIGEST, ERASURE, HOLD, RULES, TTL
from recommendation_shared.envelope.identity import expiry
from recommendation_shared.item.encoding import decode_item, item_digest
from recommendation_shared.item.holds import read_erasure, read_hold
from recommendation_shared.item.marks import is_mark, may_replace

_NEVER: Final = "inf"  # the ttl of an item that is kept indefinitely


class Judgement(Enum):
    """What happened to the old item."""

    UNCHANGED = "the same recommendation was written again"
    OVERWRITTEN = "other content was written under the same ID"
    TAMPERED = "it was edited by hand: the new item's digest does not fit its content, or another attribute changed"
    DELETED = "somebody deleted it before it expired"
    EXPIRED = "it was removed after it had expired"
    HELD = "it stays, because its incident is held"
    RELEASED = "it expires again, because its incident was released"
    ERASED = "recs erase deleted it"
    MARKED = "it is an incident's mark, which was changed as its state allows"


def judge(change: Change) -> Judgement:
    """Return what a change is. It depends on nothing but the change, so every delivery has the same outcome.

    Raises `ValueError` if an image holds an unknown DynamoDB type.
    """
    if change.old is None:
        return Judgement.UNCHANGED
    if is_mark(change.old):  # no command deletes one, whatever attributes it was given first
        if change.new is None:
            return Judgement.DELETED
        return Judgement.MARKED if may_replace(change.old, change.new) else Judgement.TAMPERED
    if change.new is None:
        if read_erasure(change.old) is not None:
            return Judgement.ERASED
        return Judgement.EXPIRED if change.is_by_ttl or _had_expired(change.old, change.at) else Judgement.DELETED
    return _judge_rewrite(change.old, change.new)


def changed_attributes(change: Change) -> list[str]:
    """Return the names of the attributes that differ, in alphabetical order."""
    old, new = change.old or {}, change.new or {}
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def is_intact(image: Image) -> bool:
    """Return whether an item's digest fits its content. Raises `ValueError` for an unknown DynamoDB type."""
    return image.get(DIGEST, {}).get("S") == item_digest(image)


def _judge_rewrite(old: Image, new: Image) -> Judgement:
    # An edited item that is replaced by the original again is kept too, but not as Tampered: redriving what was
    # tampered with would otherwise make new letters of that reason.
    if item_digest(old) != item_digest(new):
        if read_erasure(old) is not None:  # its content must not be kept
            return Judgement.ERASED
        return Judgement.OVERWRITTEN if is_intact(new) else Judgement.TAMPERED
    # A digest that was missing or wrong may be put right: the content is equal, so nothing is lost.
    if old.get(DIGEST) != new.get(DIGEST) and not is_intact(new):
        return Judgement.TAMPERED
    if old.get(ERASURE) != new.get(ERASURE) and ERASURE in new and read_erasure(new) is None:
        return Judgement.TAMPERED
    if (old.get(HOLD), old.get(TTL)) == (new.get(HOLD), new.get(TTL)):
        return Judgement.UNCHANGED
    if HOLD in new:
        return Judgement.HELD if _may_hold(old, new) else Judgement.TAMPERED
    if HOLD in old:
        return Judgement.RELEASED if _has_derived_ttl(new) else Judgement.TAMPERED
    return Judgement.OVERWRITTEN if is_intact(new) and _has_derived_ttl(new) else Judgement.TAMPERED


def _may_hold(old: Image, new: Image) -> bool:
    """Return whether an item has a hold and no ttl, and its hold is new, the same, or of another time than before.

    It may also be of an earlier time: when an incident is held again soon after its release, a consumer may still know
    the first hold.
    """
    hold, before = read_hold(new), read_hold(old)
    if hold is None or TTL in new:
        return False
    return before is None or before == hold or before.at != hold.at


def _has_derived_ttl(image: Image) -> bool:
    """Return whether an item's ttl is the one that the consumer derives from its content."""
    fields = decode_item(image)
    try:
        timestamp, retention = (RULES[name](fields.get(name)) for name in ("timestamp", "retention"))
    except ValueError:  # not an item of the consumer's
        return False
    return fields.get(TTL) == expiry(timestamp, retention)


def _had_expired(image: Image, at: float) -> bool:
    """Return whether the item's ttl had passed, so that TTL was about to remove it.

    This includes what TTL removed in another Region of a global table: such a removal is replicated without its
    principal. Whoever brings a ttl forward is seen when they do that: see `Judgement.TAMPERED`.
    """
    return float(image.get(TTL, {}).get("N", _NEVER)) <= at
