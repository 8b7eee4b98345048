"""Print the incidents that are held and, if asked, those that were released or erased."""

import sys
from typing import Any

from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.marks.text import actor, minute
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.table import Column, print_table
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.marks import UnreadableMark, all_marks
from recommendation_shared.item.marks import KEY_PREFIX, Mark

_DIGITS = 12  # of an erased incident's SHA-256


def list_holds(runtime: Runtime, read: ReadOptions, *, every: bool) -> None:
    """Print them, the oldest mark first."""
    target = read.target(runtime)
    with explained(target):
        found = list(all_marks(runtime.connect(target), target.table))
    marks = [mark for mark in found if isinstance(mark, Mark) and (every or mark.is_held)]
    unreadable = [mark for mark in found if isinstance(mark, UnreadableMark)]
    if read.output != "table":
        write_records(sys.stdout.buffer, [_record(mark) for mark in marks], read.output)
    elif marks:
        columns = (
            Column("state"),
            Column("since (UTC)"),
            Column("incident", most=64, keep=True),
            Column("by", least=8, most=48),
            Column("reason", least=20),
        )
        print_table(open_terminal(runtime.environ), columns, [_cells(mark) for mark in marks], fold=None)
    sys.stdout.flush()  # before notes appear on stderr
    problems = [f"{visible(mark.key)}: {mark.why}. recs doctor has the remedy." for mark in unreadable]
    if not marks and not problems:
        raise NothingFoundError(f"No incident is {'marked' if every else 'held'} in {target}.")
    if problems:
        raise NothingFoundError("\n".join(problems))


def _cells(mark: Mark) -> list[str]:
    last = mark.history[-1]
    return [mark.state, minute(last.at).removesuffix(" UTC"), _incident(mark), actor(last.by), visible(last.reason)]


def _incident(mark: Mark) -> str:
    if mark.incident_id is not None:
        return visible(mark.incident_id)
    return f"SHA-256 {mark.key.removeprefix(KEY_PREFIX)[:_DIGITS]}…"


def _record(mark: Mark) -> dict[str, Any]:
    return {
        "incidentId": mark.incident_id,
        "incidentSha256": mark.key.removeprefix(KEY_PREFIX),
        "state": str(mark.state),
        "history": [{**entry._asdict(), "action": str(entry.action)} for entry in mark.history],
        "counts": dict(mark.counts),
        "erased": [{"idSha256": record.id_hash, "contentDigest": record.digest} for record in mark.erased],
    }
