"""What a redrive would do: the table that `recs dlq redrive` prints without --yes."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

import click
from rich.console import Console

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.letter import POISON, DeadLetter
from recommendation_cli.dead_letters.reason_table import ReasonRow, print_reasons
from recommendation_cli.dead_letters.receiving import Depth
from recommendation_cli.dead_letters.selection import Guard, Survey
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import plural, times


@dataclass
class Outlook:
    """What would become of the dead letters that were looked at."""

    source: str  # the queues' names
    destination: str
    moved: Survey = field(default_factory=Survey)
    poison: Survey = field(default_factory=Survey)
    others: Survey = field(default_factory=Survey)

    def add(self, letters: Iterable[DeadLetter], guard: Guard) -> None:
        """Sort some more."""
        for letter in letters:
            if not guard.selection.passes(letter):
                self.others.add([letter])
            elif guard.holds_back(letter):
                self.poison.add([letter])
            else:
                self.moved.add([letter])

    @property
    def looked_at(self) -> int:
        """How many were looked at."""
        return self.moved.total + self.poison.total + self.others.total


def print_fates(console: Console, outlook: Outlook, now: float) -> None:
    """Print what would become of the dead letters, by their reasons."""
    rows = [
        ReasonRow(reason, count, survey.oldest[reason], _fate(reason, what, outlook.destination))
        for what, survey in (("move", outlook.moved), ("poison", outlook.poison), ("other", outlook.others))
        for reason, count in survey.counts.most_common()
    ]
    print_reasons(console, rows, now, "what would happen")
    if outlook.moved.replayed:
        console.print(
            f"\n{outlook.moved.replayed} of them redriven before, {times(outlook.moved.most_replays)} at most.",
            soft_wrap=not console.is_terminal,
        )


def print_outlook(runtime: Runtime, outlook: Outlook, depth: Depth, limit: int | None, *, by_sqs: bool) -> None:
    """Print it for a queue; raise `NothingFoundError` when nothing would be moved."""
    if outlook.looked_at:
        console = open_terminal(runtime.environ)
        console.print(
            f"Dead-letter queue {visible(outlook.source)}: about {depth.visible} messages,"
            f" {outlook.looked_at} looked at.\n",
            soft_wrap=not console.is_terminal,
        )
        print_fates(console, outlook, runtime.now())
        sys.stdout.flush()
    if not outlook.moved.total:
        raise NothingFoundError(_nothing(outlook, depth))
    if by_sqs:
        how = "SQS would move the whole queue itself"
    else:
        most = outlook.moved.total if limit is None else min(limit, outlook.moved.total)
        rest = "" if limit is not None or outlook.looked_at >= depth.visible else " of those looked at"
        how = f"{plural(most, 'dead letter')}{rest} would be moved one by one"
    click.echo(f"\nDry run, nothing was changed: {how}.\n--yes does it.", err=True)


def _fate(reason: str, what: str, destination: str) -> str:
    match what:
        case "move":
            return f"moved, but {POISON[reason]}" if reason in POISON else f"moved to {visible(destination)}"
        case "poison":
            return f"left: {POISON[reason]}"
        case _:
            return "left: the filters"


def _nothing(outlook: Outlook, depth: Depth) -> str:
    if outlook.poison.total:
        return (
            f"Nothing to redrive in {visible(outlook.source)} but poison: mend its cause first, then name its --reason"
            " or pass --include-poison; or `recs dlq save` and `purge` it."
        )
    if outlook.others.total:
        return f"None of the {outlook.looked_at} that were looked at in {visible(outlook.source)} passes the filters."
    hidden = f": {depth.in_flight} are in flight, hidden by another reader" if depth.in_flight else ""
    return f"No dead letter in {visible(outlook.source)}{hidden}."
