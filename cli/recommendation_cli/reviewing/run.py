"""Write a review for `recs review`, and say what it supersedes."""

import shlex
import sys

import click

from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.reviewing.writer import ReviewWriter, Written
from recommendation_cli.reviews.review import Review, Verdict
from recommendation_cli.reviews.view import author, said
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible


def review_recommendation(
    runtime: Runtime, read: ReadOptions, recommendation_id: str, verdict: Verdict, note: str | None
) -> None:
    """Review a recommendation."""
    writer = ReviewWriter(runtime, read)
    _report(writer, writer.of_recommendation(recommendation_id, verdict, note), read)


def review_incident(  # noqa: PLR0913 - one for each thing to say
    runtime: Runtime,
    read: ReadOptions,
    incident_id: str,
    *,
    root_cause: str | None,
    resolved_by: str | None,
    note: str | None,
) -> None:
    """Review an incident."""
    writer = ReviewWriter(runtime, read)
    _report(writer, writer.of_incident(incident_id, root_cause=root_cause, resolved_by=resolved_by, note=note), read)


def _report(writer: ReviewWriter, written: Written, read: ReadOptions) -> None:
    review = written.review
    if read.output == "json":
        sys.stdout.buffer.write(f"{pretty_json(review.record())}\n".encode())
    elif read.output != "table":
        write_records(sys.stdout.buffer, [review.record()], read.output)
    sys.stdout.flush()
    what = visible(review.recommendation_id or review.incident_id)
    click.echo(f"Reviewed {what} in {writer.reviews} as {visible(review.by)}:", err=True)
    _print(review)
    if written.superseded is not None:
        click.echo(f"It supersedes the review by {author(written.superseded)}:", err=True)
        _print(written.superseded)
    click.echo(f"The history: recs reviews {visible(shlex.quote(review.incident_id))}", err=True)


def _print(review: Review) -> None:
    if review.is_retraction:
        click.echo("  nothing", err=True)
    for name, text in said(review):
        click.echo(f"  {name}: {text}", err=True)
