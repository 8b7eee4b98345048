"""Where everything ended, line by line; a line that must be zero and is not names what it found."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from recommendation_shared.envelope.model import UNKNOWN_SCHEMA_VERSION
from tests.chaos.pipeline.letter import ID_CONFLICT, SEND_FAILED, DeadLetter, Letter

MAX_RECEIVES: Final = 5  # of the redrive policy

ALTERED: Final = "altered items"
LOST: Final = "lost"
IN_BOTH: Final = "stored and dead-lettered"
NO_REASON: Final = "dead letters without their reason"
UNKNOWN_ITEMS: Final = "items that nobody sent"
UNKNOWN_DEAD: Final = "dead letters that nobody sent"
NOT_TO_BE_STORED: Final = "items of what must not be stored"
LEFT: Final = "left in the queue"
BALANCE: Final = "producer's balance"
UNCOUNTED: Final = "drops that the producer did not count"
EXPIRED_UNCOUNTED: Final = "expired that the consumers did not count"
CHECKS: Final = (
    LOST, ALTERED, IN_BOTH, NO_REASON, UNKNOWN_ITEMS, UNKNOWN_DEAD, NOT_TO_BE_STORED, LEFT, BALANCE, UNCOUNTED,
    EXPIRED_UNCOUNTED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What was found when everything had come to rest.

    `items` maps recommendation IDs to the SHA-256 of the item, encoded again from its own content, or to why it has
    none. `refused` are bodies (SHA-256) that SQS refused for good. `balance` is the producer's, `expired` what the
    consumers' metric counted.
    """

    items: Mapping[str, str]
    dead: Sequence[DeadLetter]
    left: int
    refused: frozenset[str]
    accepted: int
    sent: int
    pending: int
    dropped: Mapping[str, int]
    expired: int


@dataclass
class Ledger:
    """`ended` counts letters by where they ended, each once; `wrong` holds, by check, what broke it."""

    letters: int
    ended: Counter[str] = field(default_factory=Counter)
    wrong: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    arrived_though_dropped: int = 0
    dead_twice: int = 0

    @property
    def holds(self) -> bool:
        """Tell whether every check is passed."""
        return not any(self.wrong.values())


def account(letters: Iterable[Letter], found: Found) -> Ledger:
    """Find for every letter the one place where it ended, and for everything that was found its letter."""
    letters = list(letters)
    ledger = Ledger(len(letters))
    dead: defaultdict[str, list[DeadLetter]] = defaultdict(list)
    for one in found.dead:
        dead[one.body].append(one)
    by_id: defaultdict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        if letter.recommendation_id is not None:
            by_id[letter.recommendation_id].append(letter)
    for letter in letters:
        siblings = by_id[letter.recommendation_id] if letter.recommendation_id else [letter]
        ledger.ended[_end(letter, siblings, found, dead[letter.body or ""], ledger)] += 1
    _check_items(by_id, found, ledger)
    bodies = {letter.body for letter in letters}
    ledger.wrong[UNKNOWN_DEAD] += [one.body for one in found.dead if one.body not in bodies]
    ledger.dead_twice = sum(len(several) - 1 for several in dead.values() if several)
    _check_counts(found, ledger)
    return ledger


def _end(letter: Letter, siblings: Sequence[Letter], found: Found, dead: Sequence[DeadLetter], ledger: Ledger) -> str:
    conflicting = len(siblings) > 1
    reason = letter.reason or (ID_CONFLICT if conflicting else None)
    wrongly_dead = [one for one in dead if not _is_explained(one, reason)]
    ledger.wrong[NO_REASON] += [f"{letter.name}: {one.reason}, {one.receives} receives" for one in wrongly_dead]
    stored = letter.item is not None and found.items.get(letter.recommendation_id or "") == letter.item
    was_refused = letter.body in found.refused
    # The one way to be both: two envelopes with one ID arrived in one batch, so that this one became a dead letter,
    # and it was delivered once more by itself. Last written stands (decision 0001).
    if stored and dead and not conflicting:
        ledger.wrong[IN_BOTH].append(letter.name)
    if stored:
        ledger.arrived_though_dropped += was_refused
        return "stored"
    if dead:
        return f"dead-lettered: {reason}"
    if letter.dropped is not None:
        return f"dropped: {letter.dropped}"
    if was_refused:
        return f"dropped: {SEND_FAILED}"
    if letter.kind == "expired":
        return "expired, acknowledged"
    if any(found.items.get(letter.recommendation_id or "") == one.item for one in siblings if one is not letter):
        return "overwritten by another envelope of the same ID"
    ledger.wrong[LOST].append(letter.name)
    return LOST


def _is_explained(dead: DeadLetter, reason: str | None) -> bool:
    if reason == UNKNOWN_SCHEMA_VERSION:  # left to the redrive policy, which names none
        return dead.reason is None and dead.receives >= MAX_RECEIVES
    return dead.reason is not None and dead.reason == reason


def _check_items(by_id: Mapping[str, Sequence[Letter]], found: Found, ledger: Ledger) -> None:
    for recommendation_id, item in found.items.items():
        sent = by_id.get(recommendation_id)
        if not sent:
            ledger.wrong[UNKNOWN_ITEMS].append(recommendation_id)
        elif all(letter.item is None for letter in sent):
            ledger.wrong[NOT_TO_BE_STORED].append(recommendation_id)
        elif all(letter.item != item for letter in sent):
            ledger.wrong[ALTERED].append(recommendation_id)


def _check_counts(found: Found, ledger: Ledger) -> None:
    if found.left:
        ledger.wrong[LEFT].append(f"{found.left} messages")
    if found.pending or found.accepted != found.sent + sum(found.dropped.values()):
        ledger.wrong[BALANCE].append(
            f"accepted {found.accepted}, sent {found.sent}, dropped {dict(found.dropped)}, pending {found.pending}"
        )
    for end, count in ledger.ended.items():
        where, _, reason = end.partition(": ")
        if where == "dropped" and count > found.dropped.get(reason, 0):
            ledger.wrong[UNCOUNTED].append(f"{reason}: {count} missing, {found.dropped.get(reason, 0)} counted")
    if (expired := ledger.ended["expired, acknowledged"]) > found.expired:
        ledger.wrong[EXPIRED_UNCOUNTED].append(f"{expired} expired, {found.expired} counted")
