"""The result of one invocation of the keeper, and the response to Lambda that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recommendation_consumer.batch_result import BatchResponse
from recommendation_consumer.keeper.change import Change
from recommendation_consumer.keeper.judgement import Judgement


class NothingKeptError(RuntimeError):
    """The first change of the batch could not be kept.

    Raised instead of naming it, because Lambda divides a batch in two only if the function fails. That isolates a
    change that can never be kept, which otherwise would take its whole batch with it.
    """


class KeptLetter(NamedTuple):
    """A change whose old item is now a dead letter."""

    change: Change
    judgement: Judgement


class Noted(NamedTuple):
    """A change that is expected, and only logged and counted."""

    change: Change
    judgement: Judgement


class Failure(NamedTuple):
    """The first change of the batch that could not be kept, and why."""

    change: Change
    cause: str


@dataclass(slots=True)
class KeepResult:
    """The outcome of a batch. `archived` counts items, and `files` those of the archive that hold them."""

    letters: list[KeptLetter] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    archived: int = 0
    files: int = 0
    failure: Failure | None = None


def respond(result: KeepResult, changes: Sequence[Change]) -> BatchResponse:
    """Return the response: Lambda delivers the change that it names again, and all later ones.

    Raises `NothingKeptError`. Lambda then delivers the whole batch again, divided in two.
    """
    if result.failure is None:
        return {"batchItemFailures": []}
    failed = result.failure.change.sequence_number
    if failed == changes[0].sequence_number:
        raise NothingKeptError(f"The first change of the batch could not be kept: {result.failure.cause}")
    return {"batchItemFailures": [{"itemIdentifier": failed}]}
