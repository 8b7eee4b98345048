"""What marks and holds mean, in words that are safe to print."""

from typing import Final

from recommendation_cli.screen.visible import visible
from recommendation_cli.search.marks import UnreadableMark
from recommendation_cli.search.queries import Document
from recommendation_shared.envelope.fields import HOLD
from recommendation_shared.item.holds import Hold
from recommendation_shared.item.marks import Entry, Mark, State

_MINUTE: Final = len("2026-01-31T12:00")
_VERBS: Final = {
    State.HELD: "held",
    State.RELEASED: "released",
    State.ERASING: "being erased, begun",
    State.ERASED: "erased",
}


def actor(arn: str) -> str:
    """Return who an ARN is, without what all of an account's have in common, such as `user/ann`."""
    return visible(arn.rpartition(":")[2])


def minute(at: str) -> str:
    """Return a sort key to the minute, such as `2026-01-31 12:00 UTC`."""
    return visible(at[:_MINUTE].replace("T", " ")) + " UTC"


def hold_text(hold: Hold) -> str:
    """Return who holds something, since when and why."""
    return f"held {held_since(hold)}"


def held_since(hold: Hold) -> str:
    """Return since when, by whom and why."""
    if not hold.at:  # an item that had no room for it
        return "(recs holds says by whom and why)"
    return f"since {minute(hold.at)} by {actor(hold.by)}: {visible(hold.reason)}"


def document_hold(document: Document) -> Hold | None:
    """Return a document's hold, if it has one, even one that was written by hand."""
    value = document.get(HOLD)
    if value is None:
        return None
    texts = value if isinstance(value, dict) else {}
    return Hold(*(str(texts.get(name, "")) for name in Hold._fields))


def entry_text(entry: Entry) -> str:
    """Return one action of a mark's history."""
    return f"{_VERBS[entry.action]} {minute(entry.at)} by {actor(entry.by)}: {visible(entry.reason)}"


def notice(mark: Mark | UnreadableMark | None) -> str:
    """Return what readers of an incident must know about it: that it is held or erased; otherwise nothing."""
    match mark:
        case UnreadableMark():
            return f"Whether this incident is held is not known: {mark.why}. See recs doctor."
        case Mark(hold=Hold() as hold) if mark.is_held:
            return f"This incident is {hold_text(hold)}"
        case Mark() if mark.is_erased:
            return f"This incident was {entry_text(mark.history[-1])}"
    return ""
