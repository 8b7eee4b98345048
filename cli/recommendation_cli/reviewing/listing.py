"""List reviews for `recs reviews`."""

import sys
from typing import Final

import click
from rich.text import Text

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.marks.text import actor, minute
from recommendation_cli.options.listing import ListOptions, since_by_default
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.reviewing.errors import READER, explained_reviews
from recommendation_cli.reviews.beside import Reviewed
from recommendation_cli.reviews.review import Review
from recommendation_cli.reviews.store import ReviewTable, unreadable_text
from recommendation_cli.reviews.view import said
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.table import Column, print_table
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.period import Period

_COLUMNS: Final = (
    Column("written (UTC)"),
    Column("verdict", keep=True),
    Column("of", least=20, most=80),
    Column("by", least=8, most=40),
    Column("says", least=20),
)


def list_reviews(
    runtime: Runtime, read: ReadOptions, listed: ListOptions, incident_id: str | None, *, current: bool
) -> None:
    """Print the reviews of an incident, or of all incidents in a period."""
    if incident_id is None:
        listed = since_by_default(runtime, listed, "30d")
    target, period = read.reviews_target(runtime), listed.period()
    with explained_reviews(target, READER):
        table = ReviewTable(runtime.connect(target), target.table, now=None if read.include_expired else runtime.now())
        # To the end, whatever the period: a later review supersedes one in it.
        found = table.reviews_of(incident_id) if incident_id else table.reviews_between(period.since, None)
        reviewed = Reviewed(found)
    counting = {review.key for review in reviewed.counting()}
    shown = [
        review
        for review in reversed(list(reviewed))
        if period.includes(review.at) and (not current or review.key in counting)
    ]
    if read.output != "table":
        records = [{**review.record(), "superseded": review.key not in counting} for review in shown]
        write_records(sys.stdout.buffer, records, read.output)
    elif shown:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        print_table(console, _COLUMNS, [_cells(review, counts=review.key in counting) for review in shown], fold=None)
    sys.stdout.flush()  # before notes appear on stderr
    if table.unreadable:
        click.echo(unreadable_text(table.unreadable), err=True)
    if not shown:
        what = f"of incident {visible(incident_id)} " if incident_id else ""
        when = "" if period == Period() else " in that period"
        raise NothingFoundError(f"There is no review {what}in {target}{when}: recs review writes one.")


def _cells(review: Review, *, counts: bool) -> list[str | Text]:
    style = "" if counts else "dim"
    says = (
        "nothing"
        if review.is_retraction
        else " · ".join(f"{name}: {text}" for name, text in said(review) if name != "verdict")
    )
    what = review.recommendation_id or f"incident {review.incident_id}"
    verdict = (review.verdict or "") if counts else f"{review.verdict or ''} (superseded)".strip()
    cells = (minute(review.at).removesuffix(" UTC"), verdict, visible(what), actor(review.by), visible(says))
    return [Text(cell, style=style) for cell in cells]
