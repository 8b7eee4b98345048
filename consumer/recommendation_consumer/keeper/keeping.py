"""One invocation of the keeper: judge each change, keep what was lost, respond."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from recommendation_consumer.batch_result import BatchResponse
from recommendation_consumer.dead_letters import send_dead_letters
from recommendation_consumer.deadlines import deadlines
from recommendation_consumer.failure import classify
from recommendation_consumer.invocation import LambdaContext
from recommendation_consumer.keeper.archive import archive_files
from recommendation_consumer.keeper.change import Change, read_changes
from recommendation_consumer.keeper.dependencies import KeeperDependencies
from recommendation_consumer.keeper.judgement import Judgement, judge
from recommendation_consumer.keeper.letter import REASONS, kept_letter
from recommendation_consumer.keeper.report import NOTED, report
from recommendation_consumer.keeper.result import Failure, KeepResult, KeptLetter, Noted, respond
from recommendation_consumer.plan import Poison
from recommendation_shared.aws_errors import DEADLINE_EXCEEDED


class _Kept(NamedTuple):
    """A change that means something. `letter` is the old item's dead letter; without one, it may go to the archive."""

    change: Change
    judgement: Judgement
    letter: Poison | None


async def keep(event: Any, context: LambdaContext, dependencies: KeeperDependencies) -> BatchResponse:
    """Keep what a batch of changes replaced or removed; return the first change that could not be kept, if any.

    Raises `MalformedEventError` and `NothingKeptError`.
    """
    deadline = deadlines(dependencies.monotonic(), context.get_remaining_time_in_millis()).dead_letters
    changes = read_changes(event)
    result = KeepResult()
    to_keep = await _send_letters(_judged(changes, result), result, deadline, dependencies)
    expired = [kept.change for kept in to_keep if kept.judgement is Judgement.EXPIRED]
    await _archive(expired, result, deadline, dependencies)
    result.noted += [Noted(kept.change, kept.judgement) for kept in to_keep if kept.judgement in NOTED]
    report(result, context.aws_request_id, dependencies)
    return respond(result, changes)


def _judged(changes: Sequence[Change], result: KeepResult) -> list[_Kept]:
    """Return what to keep, up to the first change that cannot be judged: later ones are delivered again anyway."""
    to_keep = []
    for change in changes:
        try:
            judgement = judge(change)
            if judgement in REASONS:
                to_keep.append(_Kept(change, judgement, kept_letter(change, REASONS[judgement])))
            elif judgement is not Judgement.UNCHANGED:
                to_keep.append(_Kept(change, judgement, None))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one change must not take its batch with it
            result.failure = Failure(change, type(error).__name__)
            break
    return to_keep


async def _send_letters(
    to_keep: Sequence[_Kept], result: KeepResult, deadline: float, dependencies: KeeperDependencies
) -> Sequence[_Kept]:
    """Send the dead letters; return what precedes the first one that could not be sent."""
    letters = [kept.letter for kept in to_keep if kept.letter is not None]
    unsent = await send_dead_letters(letters, deadline, dependencies)
    for index, (change, judgement, letter) in enumerate(to_keep):
        if change.event_id in unsent:
            result.failure = Failure(change, unsent[change.event_id])
            return to_keep[:index]
        if letter is not None:
            result.letters.append(KeptLetter(change, judgement))
    return to_keep


async def _archive(
    removed: Sequence[Change], result: KeepResult, deadline: float, dependencies: KeeperDependencies
) -> None:
    """Write the files. If one fails, all are written again, because the first of their changes is delivered again."""
    if not removed or dependencies.put_file is None:
        return
    files = archive_files(removed)
    try:
        async with asyncio.timeout(deadline - dependencies.monotonic()):
            for file in files:
                await dependencies.put_file(file.key, file.body)
    except TimeoutError:
        result.failure = Failure(removed[0], DEADLINE_EXCEEDED)
    except (ClientError, BotoCoreError) as error:
        result.failure = Failure(removed[0], classify(error).error_type)
    else:
        result.archived, result.files = len(removed), len(files)
