"""`recs diff`. What it does is imported when it runs, so that help is instant."""

from typing import Any

import click

from recommendation_cli.options import ListOptions, ReadOptions, agents_option, key, read_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


@click.command(
    epilog="""\b
Examples:
  recs diff exec-41 exec-42
  recs diff exec-42                # a replay with its original
  recs diff exec-41 exec-42 -o json | jq '.agents[] | select(.result != "equal") | .fields'

\b
Exit codes, as diff has them:
  0    no difference
  1    the executions differ
  2    wrong usage, or an execution is not there
The others are those of recs --help."""
)
@click.argument("before", metavar="EXEC_A", callback=key(limits.ID_BYTES))
@click.argument("after", metavar="[EXEC_B]", required=False, callback=key(limits.ID_BYTES))
@click.option("--all", "everything", is_flag=True, help="Also cost, duration and all other metadata.")
@agents_option
@read_options
@click.pass_obj
def diff(
    runtime: Runtime,
    /,
    before: str,
    after: str | None,
    *,
    everything: bool,
    agents: tuple[str, ...],
    **options: Any,
) -> None:
    """Show what changed from EXEC_A to EXEC_B, agent by agent.

    Compared are confidence, every field of the recommendation, status and error, the reasoning by sentences, and the
    citations. With one execution, a replay, it is compared with its original.
    """
    from recommendation_cli.diff.view import show_diff

    listed = ListOptions(agents=agents)
    show_diff(runtime, (before, after), ReadOptions(**options), listed, everything=everything)
