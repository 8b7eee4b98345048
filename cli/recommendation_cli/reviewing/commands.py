"""`recs review` and `recs reviews`. Their code is imported when they run, so that help is instant."""

import sys
from typing import Final

import click

from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.keys import RECOMMENDATION_ID_BYTES, key
from recommendation_cli.options.listing import ListOptions, period_options
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.reviews.review import Verdict, checked_text
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

_STDIN: Final = "-"  # as a text


def _text(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return _from_stdin(ctx) if value == _STDIN else checked_text(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _from_stdin(ctx: click.Context) -> str:
    """Return the text on standard input; raise `ValueError` if there is none, which would take a text back unseen."""
    if ctx.meta.setdefault(__name__, False):
        raise ValueError("standard input is the text of another option already")
    ctx.meta[__name__] = True
    try:
        text = checked_text(sys.stdin.read())
    except UnicodeDecodeError:
        raise ValueError("must be UTF-8") from None
    if not text:
        raise ValueError("standard input has none")
    return text


@click.command(
    epilog="""\b
Examples:
  recs review rec-incident-7-consensus-2026-01-31T12:00:00Z --verdict helpful
  recs review rec-incident-7-consensus-2026-01-31T12:00:00Z --verdict wrong --note "The cache"
  recs review --incident incident-7 --root-cause "A full disk" --resolved-by "A bigger disk"
  recs review --incident incident-7 --note - < minutes.txt"""
)
@click.argument("rec_id", required=False, callback=key(RECOMMENDATION_ID_BYTES))
@click.option("--incident", "incident_id", metavar="ID", callback=key(limits.ID_BYTES), help="Review an incident.")
@click.option(
    "--verdict",
    type=click.Choice([verdict.value for verdict in Verdict]),
    help="What the recommendation was worth. not-followed: nobody acted on it, so nobody knows.",
)
@click.option("--note", metavar="TEXT", callback=_text, help="Why; - reads it from standard input.")
@click.option("--root-cause", metavar="TEXT", callback=_text, help="What caused the incident.")
@click.option("--resolved-by", metavar="TEXT", callback=_text, help="What ended the incident.")
@read_options
@click.pass_obj
def review(  # noqa: PLR0913 - one for each option
    runtime: Runtime,
    read: ReadOptions,
    /,
    *,
    rec_id: str | None,
    incident_id: str | None,
    verdict: str | None,
    note: str | None,
    root_cause: str | None,
    resolved_by: str | None,
) -> None:
    """Record what a recommendation was worth, or an incident's cause.

    The review is stored beside the recommendation, which does not change, with your ARN and the time. A later review
    supersedes it; none is overwritten, and recs reviews shows them all. Of an incident, what you leave out stays as it
    was, and an empty text withdraws it. It needs an identity such as RecommendationReviewerRole.
    """
    from recommendation_cli.reviewing.run import review_incident, review_recommendation

    if (rec_id is None) == (incident_id is None):
        raise click.UsageError(
            "Name a recommendation, which recs incident INCIDENT_ID lists, or --incident and its ID, but not both."
        )
    if rec_id is not None:
        if verdict is None:
            raise click.UsageError(f"Say what it was worth: --verdict {'|'.join(Verdict)}.")
        if root_cause is not None or resolved_by is not None:
            raise click.UsageError("--root-cause and --resolved-by are for --incident.")
        review_recommendation(runtime, read, rec_id, Verdict(verdict), note or None)
        return
    if verdict is not None:
        raise click.UsageError("--verdict is for a recommendation, not for an incident.")
    if root_cause is None and resolved_by is None and note is None:
        raise click.UsageError("Say something: --root-cause, --resolved-by or --note.")
    review_incident(runtime, read, incident_id or "", root_cause=root_cause, resolved_by=resolved_by, note=note)


@click.command(
    epilog="""\b
Examples:
  recs reviews
  recs reviews incident-7
  recs reviews --since 90d --current -o jsonl | jq 'select(.verdict == "harmful")'"""
)
@click.argument("incident_id", required=False, callback=key(limits.ID_BYTES))
@click.option("--current", is_flag=True, help="Leave out what a later review supersedes.")
@options_as(ListOptions, period_options)
@read_options
@click.pass_obj
def reviews(
    runtime: Runtime, read: ReadOptions, listed: ListOptions, /, *, incident_id: str | None, current: bool
) -> None:
    """List reviews and what they superseded, newest first.

    They are those of an incident or, without its ID, those written in the last 30 days or in the period given.
    """
    from recommendation_cli.reviewing.listing import list_reviews

    list_reviews(runtime, read, listed, incident_id, current=current)
