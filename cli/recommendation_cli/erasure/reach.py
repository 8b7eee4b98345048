"""What an erasure cannot reach, in sentences: where else an incident's content or its ID may be, and until when."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final

from recommendation_cli.dead_letters.session import Depth
from recommendation_cli.erasure.archive_files import PREFIX
from recommendation_cli.screen.visible import visible
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.wording import plural

_RECOVERY_DAYS: Final = 35  # of point-in-time recovery (Amazon DynamoDB Developer Guide)
_STREAM_HOURS: Final = 24  # of a table's stream (as above)
_DAY: Final = len("2026-01-31")
_NAMED: Final = 5  # days in a sentence


def beyond_reach(
    *, now: float, days: Collection[str], queue: tuple[str, Depth] | None, has_archive: bool
) -> Iterator[str]:
    """Yield the sentences. `now` is in epoch seconds, and `days` are those on which the incident's agents completed.

    `queue` is the main queue's name, safe to print, and its depth, if they are known.
    """
    if queue is None:
        yield "messages still in the queue: the consumer discards those of the incident when it receives them."
    else:
        name, depth = queue
        waiting = f"{depth.visible:,} waiting and {depth.in_flight:,} in flight, of all incidents"
        yield f"messages still in {name} ({waiting}): the consumer discards those of the incident."
    yield "copies on disks: saved dead letters (recs dlq save), exports, reports, and what was piped elsewhere."
    if not has_archive:
        yield (
            f"an archive of expired recommendations, if the stack has one: see {PREFIX}dt=DAY/ for {_days(days)}, or"
            " pass --archive-bucket to have its files rewritten."
        )
    until = sort_key(EPOCH + timedelta(seconds=now, days=_RECOVERY_DAYS))[:_DAY]
    yield (
        f"point-in-time recovery until {until}, backups until their own age, and the table's stream for"
        f" {_STREAM_HOURS} hours. After a restore, run this again: the older table lacks the mark too."
    )
    yield "logs and metrics, which have the incident's ID but no content, until their own age."
    yield "what the executor itself keeps (checkpoints, logs, model calls), and other incidents that mention this one."


def _days(days: Collection[str]) -> str:
    """Return the days in words; those found, and any others that may have expired."""
    if not days:
        return "any day"
    named = visible(", ".join(sorted(days)[:_NAMED]))
    more = f" and {plural(len(days) - _NAMED, 'more day')}" if len(days) > _NAMED else ""
    return f"{named}{more} and any earlier day of the incident"
