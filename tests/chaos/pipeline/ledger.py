"""The ledger: where each submission ended, and the checks that must find nothing, each naming its offenders."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from recommendation_shared.envelope.errors import UNKNOWN_SCHEMA_VERSION
from recommendation_shared.queue.dead_letter import DELETED, TAMPERED
from tests.chaos.pipeline.engines.queues import DeadLetter
from tests.chaos.pipeline.submission import ID_CONFLICT, SEND_FAILED, Submission

MAX_RECEIVES: Final = 5  # of the redrive policy

ALTERED: Final = "altered items"
LOST: Final = "lost"
IN_BOTH: Final = "stored and dead-lettered"
WRONG_REASON: Final = "dead letters with a wrong or missing reason"
UNKNOWN_ITEMS: Final = "items that were never sent"
UNKNOWN_DEAD: Final = "dead letters that were never sent"
MUST_NOT_BE_STORED: Final = "items that must not be stored"
LEFT: Final = "left in the queue"
BALANCE: Final = "errors in the producer's balance"
UNCOUNTED: Final = "drops that the producer did not count"
REPLACED_UNSEEN: Final = "replaced unseen: overwritten, edited or deleted, and not kept"
REPLACED: Final = "replaced, kept"
CHECKS: Final = (
    LOST, ALTERED, REPLACED_UNSEEN, IN_BOTH, WRONG_REASON, UNKNOWN_ITEMS, UNKNOWN_DEAD, MUST_NOT_BE_STORED, LEFT,
    BALANCE, UNCOUNTED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EndState:
    """Everything that the run finds once the pipeline is at rest.

    `items` maps recommendation IDs to the SHA-256 of the item, encoded again from its own content, or to the reason
    why it has none. `refused` holds the SHA-256 of each body that SQS refused permanently. `accepted`, `sent`,
    `pending` and `dropped` are the producer's balance. `touched` holds the IDs of the items that were edited or deleted
    by hand.
    """

    items: Mapping[str, str]
    dead: Sequence[DeadLetter]
    left: int
    refused: frozenset[str]
    accepted: int
    sent: int
    pending: int
    dropped: Mapping[str, int]
    touched: frozenset[str] = frozenset()


@dataclass
class Ledger:
    """`ended` counts submissions by where they ended, each once; `wrong` lists the offenders of each check."""

    submissions: int
    ended: Counter[str] = field(default_factory=Counter)
    wrong: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    arrived_though_dropped: int = 0
    dead_twice: int = 0

    @property
    def holds(self) -> bool:
        """Whether every check passes."""
        return not any(self.wrong.values())


def account(submissions: Iterable[Submission], end: EndState) -> Ledger:
    """Find the one place where each submission ended, and the submission behind each item and dead letter."""
    submissions = list(submissions)
    ledger = Ledger(len(submissions))
    dead: defaultdict[str, list[DeadLetter]] = defaultdict(list)
    for dead_letter in end.dead:
        if not dead_letter.is_keepers:
            dead[dead_letter.body].append(dead_letter)
    by_id: defaultdict[str, list[Submission]] = defaultdict(list)
    for submission in submissions:
        if submission.recommendation_id is not None:
            by_id[submission.recommendation_id].append(submission)
    for submission in submissions:
        siblings = by_id[submission.recommendation_id] if submission.recommendation_id else [submission]
        ledger.ended[_place(submission, siblings, end, dead[submission.body or ""], ledger)] += 1
    _check_items(by_id, end, ledger)
    bodies = {submission.body for submission in submissions}
    ledger.wrong[UNKNOWN_DEAD] += [
        dead_letter.body
        for dead_letter in end.dead
        if (not _is_explained(dead_letter, by_id, end) if dead_letter.is_keepers else dead_letter.body not in bodies)
    ]
    ledger.dead_twice = sum(len(repeated) - 1 for repeated in dead.values() if repeated)
    _check_counts(end, ledger)
    return ledger


def _place(
    submission: Submission, siblings: Sequence[Submission], end: EndState, dead: Sequence[DeadLetter], ledger: Ledger
) -> str:
    """Return where a submission ended; `siblings` are all submissions with its ID, itself included."""
    conflicting = len(siblings) > 1
    reason = submission.reason or (ID_CONFLICT if conflicting else None)
    ledger.wrong[WRONG_REASON] += [
        f"{submission.name}: {dead_letter.reason}, {dead_letter.receives} receives"
        for dead_letter in dead
        if not _has_reason(dead_letter, reason)
    ]
    stored = submission.item is not None and end.items.get(submission.recommendation_id or "") == submission.item
    was_refused = submission.body in end.refused
    # There is one way to be both: two envelopes with one ID arrived in the same batch, so this one was dead-lettered,
    # and then it was redelivered on its own. The last write stands (decision 0001).
    if stored and dead and not conflicting:
        ledger.wrong[IN_BOTH].append(submission.name)
    if stored:
        ledger.arrived_though_dropped += was_refused
        return "stored"
    if dead:
        return f"dead-lettered: {reason}"
    if submission.dropped is not None:
        return f"dropped: {submission.dropped}"
    if was_refused:
        return f"dropped: {SEND_FAILED}"
    if _is_kept(submission, end):
        return REPLACED
    stored_item = end.items.get(submission.recommendation_id or "")
    is_replaced = any(stored_item == sibling.item for sibling in siblings if sibling is not submission)
    check = REPLACED_UNSEEN if is_replaced or submission.recommendation_id in end.touched else LOST
    ledger.wrong[check].append(submission.name)
    return check


def _is_kept(submission: Submission, end: EndState) -> bool:
    """Return whether the keeper's dead letters hold the submission's item, bit by bit."""
    return submission.item is not None and any(
        dead_letter.is_keepers and dead_letter.item == submission.item for dead_letter in end.dead
    )


def _is_explained(dead_letter: DeadLetter, by_id: Mapping[str, Sequence[Submission]], end: EndState) -> bool:
    """Return whether the keeper had a reason for a letter: a hand, or another envelope of the same ID."""
    if dead_letter.recommendation_id in end.touched:
        return dead_letter.reason in {TAMPERED, DELETED, ID_CONFLICT}
    sent = by_id.get(dead_letter.recommendation_id or "", ())
    return len(sent) > 1 and dead_letter.reason == ID_CONFLICT and dead_letter.item in {one.item for one in sent}


def _has_reason(dead_letter: DeadLetter, reason: str | None) -> bool:
    if reason == UNKNOWN_SCHEMA_VERSION:  # left to the redrive policy, which gives no reason
        return dead_letter.reason is None and dead_letter.receives >= MAX_RECEIVES
    return dead_letter.reason is not None and dead_letter.reason == reason


def _check_items(by_id: Mapping[str, Sequence[Submission]], end: EndState, ledger: Ledger) -> None:
    for recommendation_id, item in end.items.items():
        sent = by_id.get(recommendation_id)
        if not sent:
            ledger.wrong[UNKNOWN_ITEMS].append(recommendation_id)
        elif all(submission.item is None for submission in sent):
            ledger.wrong[MUST_NOT_BE_STORED].append(recommendation_id)
        elif all(submission.item != item for submission in sent) and not (
            recommendation_id in end.touched and any(_is_kept(submission, end) for submission in sent)
        ):
            ledger.wrong[ALTERED].append(recommendation_id)


def _check_counts(end: EndState, ledger: Ledger) -> None:
    if end.left:
        ledger.wrong[LEFT].append(f"{end.left} messages")
    if end.pending or end.accepted != end.sent + sum(end.dropped.values()):
        ledger.wrong[BALANCE].append(
            f"accepted {end.accepted}, sent {end.sent}, dropped {dict(end.dropped)}, pending {end.pending}"
        )
    for place, count in ledger.ended.items():
        fate, _, reason = place.partition(": ")
        if fate == "dropped" and count > end.dropped.get(reason, 0):
            ledger.wrong[UNCOUNTED].append(f"{reason}: {count} missing, {end.dropped.get(reason, 0)} counted")
