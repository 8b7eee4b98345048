"""The forecast that a dry run prints: what a replay would do with the dead letters it has seen, by reason."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

import click
from rich.console import Console

from recommendation_cli.dead_letters.letter import POISON_OUTCOMES, DeadLetter
from recommendation_cli.dead_letters.reason_table import ReasonRow, print_reasons
from recommendation_cli.dead_letters.selection import Fate, Survey, Triage
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import times
from recommendation_shared.wording import plural


@dataclass
class Forecast:
    """Dead letters by what a replay would do with them."""

    triage: Triage
    surveys: dict[Fate, Survey] = field(default_factory=lambda: {fate: Survey() for fate in Fate})

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Include more dead letters."""
        for letter in letters:
            self.surveys[self.triage.fate(letter)].add([letter])

    def count(self, fate: Fate) -> int:
        """Return how many would meet this fate."""
        return self.surveys[fate].total

    @property
    def total(self) -> int:
        """How many dead letters were seen."""
        return sum(survey.total for survey in self.surveys.values())


def print_forecast(console: Console, forecast: Forecast, title: str, destination: str, now: float) -> None:
    """Print a forecast below a title."""
    console.print(f"{title}\n", soft_wrap=not console.is_terminal)
    rows = [
        ReasonRow(reason, count, survey.oldest[reason], _outcome(reason, fate, destination))
        for fate, survey in forecast.surveys.items()
        for reason, count in survey.counts.most_common()
    ]
    print_reasons(console, rows, now, "what would happen")
    sent = forecast.surveys[Fate.SEND]
    if sent.replayed:
        console.print(
            f"\n{sent.replayed:,} of them redriven before, at most {times(sent.most_replays)}.",
            soft_wrap=not console.is_terminal,
        )
    sys.stdout.flush()


def print_dry_run(what: str) -> None:
    """Say that nothing was changed, what would happen, and how to make it happen; `what` is a clause."""
    click.echo(f"\nDry run, nothing was changed: {what}.\nAdd --yes to do it.", err=True)


def most_sent(forecast: Forecast, limit: int | None) -> str:
    """Return how many dead letters would be sent, in words."""
    count = forecast.count(Fate.SEND)
    return plural(count if limit is None else min(limit, count), "dead letter")


def _outcome(reason: str, fate: Fate, destination: str) -> str:
    match fate:
        case Fate.SEND if reason in POISON_OUTCOMES:
            return f"moved, but {POISON_OUTCOMES[reason]}"
        case Fate.SEND:
            return f"moved to {visible(destination)}"
        case Fate.LEAVE_POISON:
            return f"left: {POISON_OUTCOMES[reason]}"
        case _:
            return "left by the filters"
