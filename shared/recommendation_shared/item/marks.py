"""Incident marks: which incidents are held, and which were erased (docs/decisions/0023).

A mark is one small item per incident in the table of recommendations. Like the register of agent types, it is only in
the index by agent type. What the consumer needs of it is in `metadata`, which compact indexes hold too.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple

from recommendation_shared.envelope.field_rules import timestamp
from recommendation_shared.item.attribute_value import AttributeValue, decode_map
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.holds import Hold, hold_attribute, reason

MARKS: Final = "_incident-marks"  # as `agentType`: not kebab-case, so no recommendation has it
KEY_PREFIX: Final = "incident-mark/"  # recommendation IDs start with "rec-"
MARKS_MAX_AGE: Final = 60.0  # seconds; a consumer's list of all marks is read again when it is older
# Our own limits. They keep a mark below about 270 KB of DynamoDB's 400.
HISTORY_ENTRIES: Final = 60  # count
HELD_ENTRIES: Final = 40  # count; then an incident is not held again, so that there is room to release and erase it
ERASED_RECORDS: Final = 250  # count; an erasure of more lists the first ones, and counts all


class MarkError(ValueError):
    """A mark is malformed, or a change of one is not allowed. The message says which rule is broken."""


class State(StrEnum):
    """What an incident is, and the name of each action in a mark's history."""

    HELD = "held"
    RELEASED = "released"
    ERASING = "erasing"  # its records are being deleted, and no new ones are stored
    ERASED = "erased"


_MOVES: Final[Mapping[State | None, frozenset[State]]] = {
    None: frozenset({State.HELD, State.ERASING}),
    State.HELD: frozenset({State.RELEASED}),  # a held incident cannot be erased
    State.RELEASED: frozenset({State.HELD, State.ERASING}),
    State.ERASING: frozenset({State.ERASING, State.ERASED}),  # an interrupted erasure is continued
    State.ERASED: frozenset({State.ERASING}),  # again, for what turns up later
}


class Entry(NamedTuple):
    """One entry of a mark's history: who did what (ARN), when (a sort key), and why."""

    action: State
    by: str
    at: str
    reason: str


class ErasedRecord(NamedTuple):
    """An erased record: the SHA-256 (hex) of its recommendation ID, and its `contentDigest`."""

    id_hash: str
    digest: str


class Mark(NamedTuple):
    """The mark of one incident. Its state is the last action of its history, which only grows.

    `hold` is the last one, also after its release. It and `incident_id` are None once an erasure has begun. `counts`
    and `erased` describe the erasure: how many of each kind were deleted, and which records.
    """

    key: str
    history: tuple[Entry, ...]
    incident_id: str | None = None
    hold: Hold | None = None
    counts: Mapping[str, int] = {}
    erased: tuple[ErasedRecord, ...] = ()

    @property
    def state(self) -> State:
        """The incident's state."""
        return self.history[-1].action

    @property
    def is_held(self) -> bool:
        """Whether the incident's records must stay."""
        return self.state is State.HELD

    @property
    def is_erased(self) -> bool:
        """Whether the incident's records must go, or are gone."""
        return self.state in {State.ERASING, State.ERASED}


def mark_key(incident_id: str) -> str:
    """Return the `recommendationId` of an incident's mark."""
    return KEY_PREFIX + hashed(incident_id)


def hashed(text: str) -> str:
    """Return the SHA-256 (hex) by which marks name what is erased."""
    return sha256(text.encode()).hexdigest()


def moved(mark: Mark | None, incident_id: str, entry: Entry) -> Mark:
    """Return an incident's mark after one more action. Raises `MarkError` if its state does not allow the action."""
    state = None if mark is None else mark.state
    if entry.action not in _MOVES[state]:
        raise MarkError(f"an incident that is {state or 'not marked'} cannot become {entry.action}")
    history = (*(() if mark is None else mark.history), entry)
    most = HELD_ENTRIES if entry.action is State.HELD else HISTORY_ENTRIES
    if len(history) > most:
        raise MarkError(f"the incident's mark has {len(history) - 1} entries already; {most} is the limit")
    if entry.action is State.HELD:
        return Mark(mark_key(incident_id), history, incident_id, Hold(entry.reason, entry.by, entry.at))
    if mark is not None and entry.action is State.RELEASED:
        return mark._replace(history=history)
    counts, erased = ({}, ()) if mark is None else (mark.counts, mark.erased)
    return Mark(mark_key(incident_id), history, counts=counts, erased=erased)


def with_erased(mark: Mark, counts: Mapping[str, int], erased: tuple[ErasedRecord, ...]) -> Mark:
    """Return an erasure's mark with what it has deleted: all counts, and the first records."""
    return mark._replace(counts=counts, erased=erased[:ERASED_RECORDS])


def mark_item(mark: Mark) -> dict[str, AttributeValue]:
    """Return a mark as an item in DynamoDB JSON."""
    standing: dict[str, AttributeValue] = {"state": {"S": mark.state}}
    if mark.incident_id is not None:
        standing["incidentId"] = {"S": mark.incident_id}
    if mark.hold is not None:
        standing["hold"] = hold_attribute(mark.hold)
    item: dict[str, AttributeValue] = {
        PARTITION_KEY: {"S": mark.key},
        "agentType": {"S": MARKS},
        "timestamp": {"S": mark.history[0].at},
        "metadata": {"M": standing},
        "history": {"L": [{"M": {name: {"S": text} for name, text in e._asdict().items()}} for e in mark.history]},
    }
    if mark.counts:
        item["counts"] = {"M": {name: {"N": str(count)} for name, count in sorted(mark.counts.items())}}
    if mark.erased:
        item["erased"] = {"L": [{"M": {"id": {"S": e.id_hash}, "digest": {"S": e.digest}}} for e in mark.erased]}
    return item


def read_mark(item: Mapping[str, AttributeValue]) -> Mark:
    """Return the mark that an item is. Raises `MarkError` unless the item is exactly what `mark_item` returns."""
    try:
        mark = _read(decode_map(item))
        is_exact = mark_item(mark) == dict(item)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MarkError(f"the incident mark is malformed: {type(error).__name__}") from None
    if not is_exact:
        raise MarkError("the incident mark is malformed: it has other attributes than a mark has")
    return mark


def _read(fields: Mapping[str, Any]) -> Mark:
    standing = fields["metadata"]
    mark = Mark(
        fields[PARTITION_KEY],
        tuple(_entry(entry) for entry in fields["history"]),
        standing.get("incidentId"),
        Hold(**standing["hold"]) if "hold" in standing else None,
        fields.get("counts", {}),
        tuple(ErasedRecord(record["id"], record["digest"]) for record in fields.get("erased", ())),
    )
    if mark.is_erased != (mark.incident_id is None) or mark.is_erased != (mark.hold is None):
        raise ValueError
    if mark.incident_id is not None and mark_key(mark.incident_id) != mark.key:
        raise ValueError
    return mark


def _entry(fields: Mapping[str, str]) -> Entry:
    return Entry(State(fields["action"]), fields["by"], timestamp(fields["at"]), reason(fields["reason"]))


def is_mark(item: Mapping[str, AttributeValue]) -> bool:
    """Return whether an item has the key of a mark, well-formed or not."""
    return str(item.get(PARTITION_KEY, {}).get("S", "")).startswith(KEY_PREFIX)


def may_replace(old: Mapping[str, AttributeValue], new: Mapping[str, AttributeValue] | None) -> bool:
    """Return whether a mark may become another item: its history only grows, by actions that its state allows."""
    try:
        before, after = read_mark(old), read_mark(new or {})
        added = after.history[len(before.history) :]
        mark = before
        for entry in added:
            mark = moved(mark, before.incident_id or "", entry)
    except MarkError:
        return False
    return (
        (after.key, after.history) == (before.key, before.history + added)
        and (after.incident_id, after.hold) == (mark.incident_id, mark.hold)
        and _erasure_grew(before, after, is_under_way=bool(added) or after.state is State.ERASING)
    )


def _erasure_grew(before: Mark, after: Mark, *, is_under_way: bool) -> bool:
    """Return whether what an erasure has deleted is the same or, if it is under way, more."""
    if (after.counts, after.erased) == (before.counts, before.erased):
        return True
    return (
        is_under_way
        and after.is_erased
        and all(count <= after.counts.get(name, -1) for name, count in before.counts.items())
        and after.erased[: len(before.erased)] == before.erased
        and len(after.erased) <= ERASED_RECORDS
    )
