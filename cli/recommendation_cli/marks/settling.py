"""Waiting until every consumer knows a mark, and what it wrote before shows in the indexes."""

from math import ceil
from typing import Final

from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_shared.envelope.identity import EPOCH, parse_instant
from recommendation_shared.item.marks import MARKS_MAX_AGE
from recommendation_shared.wording import plural

_LONGEST_INVOCATION: Final = 30.0  # seconds; the consumer's timeout in the template
_INDEX_LAG: Final = 30.0  # seconds; DynamoDB names no limit, and indexes are usually less than a second behind
SETTLED_SECONDS: Final = MARKS_MAX_AGE + _LONGEST_INVOCATION + _INDEX_LAG
"""A sandbox may have read the marks just before one was written, and begin its last batch that long after."""

_STEP: Final = 1.0  # seconds between reports


def seconds_to_settle(runtime: Runtime, marked_at: str, written: float | None = None) -> float:
    """Return for how long to wait after a mark was written, which may be 0: `marked_at` is a sort key.

    `written` (seconds on `runtime.monotonic`) is when this run wrote it, if it did. That says more than the mark: the
    clock may have been set since, and the write may have taken a minute of retries.
    """
    if written is not None:
        return max(0.0, written + SETTLED_SECONDS - runtime.monotonic())
    marked = (parse_instant(marked_at) - EPOCH).total_seconds()
    # A clock that was ahead when another machine wrote the mark must not make this wait longer than a new one would.
    return min(SETTLED_SECONDS, max(0.0, marked + SETTLED_SECONDS - runtime.now()))


def wait_until_settled(runtime: Runtime, marked_at: str, written: float | None = None) -> None:
    """Wait, and show for how much longer; see `seconds_to_settle`."""
    end = runtime.monotonic() + seconds_to_settle(runtime, marked_at, written)
    total = ceil(end - runtime.monotonic())
    with progress(runtime.environ, runtime.monotonic) as report:
        while (left := end - runtime.monotonic()) > 0:
            report(f"waiting {plural(ceil(left), 'second')} until every consumer knows", total - ceil(left), total)
            runtime.sleep(min(_STEP, left))
