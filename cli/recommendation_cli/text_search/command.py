"""`recs search`. Its code is imported when it runs, so that help is instant."""

import click

from recommendation_cli.options.keys import key
from recommendation_cli.options.listing import ListOptions, list_options, since_by_default
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs search "index subsystem"
  recs search rollback --incident incident-7
  recs search deploy --since 30d --agent change-intelligence --limit 10
  recs search "no rollback" -o jsonl | jq -r .recommendationId | recs show -"""
)
@click.argument("text")
@click.option("--incident", "incident_id", metavar="ID", callback=key(limits.ID_BYTES), help="Only in this incident.")
@list_options
@read_options
@click.pass_obj
def search(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, text: str, incident_id: str | None) -> None:
    """Find recommendations that mention TEXT.

    It is looked for in reasoning, findings and citations, and the sentences that mention it are printed. The case
    of letters does not matter. No index holds words: every recommendation of the period is read, which is the last
    7 days unless --since, --until or --incident is given. What that cost is printed at the end.
    """
    from recommendation_cli.text_search.run import search_text

    if not text.strip():
        raise click.BadParameter("must not be empty", param_hint="TEXT")
    chosen = listed if incident_id is not None else since_by_default(runtime, listed, "7d")
    search_text(runtime, text, incident_id, read, chosen)
