"""The counts of a replay, by the outcome of each dead letter, and their printed summary."""

from collections import Counter
from dataclasses import dataclass, field

import click

from recommendation_cli.dead_letters.letter import POISON_OUTCOMES
from recommendation_cli.dead_letters.replay.journal import Journal
from recommendation_cli.screen.visible import visible
from recommendation_shared.wording import plural


@dataclass
class ReplayCounts:
    """Dead letters received, by outcome; each is counted once, apart from `without_counter` and `in_doubt`."""

    sent: int = 0  # by this run and, in a redrive, deleted too
    resumed: int = 0  # sent by an earlier run
    undeleted: int = 0  # sent, but not deleted yet: the next run deletes them
    refused: Counter[str] = field(default_factory=Counter)  # SQS's code -> number; not sent
    poison: Counter[str] = field(default_factory=Counter)  # reason -> number; left on purpose
    unmatched: int = 0  # left by the filters
    beyond_limit: int = 0
    without_counter: int = 0  # of those sent, the ones that had no room for a replay counter
    in_doubt: int = 0  # of those sent, the ones that an interrupted run may have sent too


def print_counts(counts: ReplayCounts, verb: str, destination: str, journal: Journal) -> None:
    """Print what was done so far, however the run ended; `verb` is a past participle."""
    lines = [f"{verb} {plural(counts.sent, 'dead letter')} to {visible(destination)}."]
    if counts.resumed:
        lines.append(f"  {counts.resumed:,} sent by an earlier run: not sent again")
    if counts.in_doubt:
        lines.append(f"  {counts.in_doubt:,} of them may also have been sent by an interrupted run: stored only once")
    if counts.without_counter:
        lines.append(f"  {counts.without_counter:,} of them without a replay counter, as they had no room for one")
    for reason, number in counts.poison.most_common():
        lines.append(f"  {number:,} left, {visible(reason)}: {POISON_OUTCOMES[reason]}")
    if counts.unmatched:
        lines.append(f"  {counts.unmatched:,} left by the filters")
    for code, number in counts.refused.most_common():
        lines.append(f"  {number:,} left, refused by the queue: {visible(code)}")
    if counts.undeleted:
        lines.append(f"  {counts.undeleted:,} sent, but not deleted yet")
    lines.append(f"Journal: {visible(str(journal.path))}")
    click.echo("\n".join(lines))
