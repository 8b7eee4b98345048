"""`recs diff`. Its code is imported when it runs, so that help is instant."""

from typing import NamedTuple

import click

from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.keys import key, key_argument
from recommendation_cli.options.listing import ListOptions, agents_option
from recommendation_cli.options.table import ReadOptions, read_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits


class DiffOptions(NamedTuple):
    """The executions to compare (`after` is None when `before` is a replay to compare with its original), and how."""

    before: str
    after: str | None
    everything: bool


@click.command(
    epilog="""\b
Examples:
  recs diff exec-41 exec-42
  recs diff exec-42                # a replay with its original
  recs diff exec-41 exec-42 -o json | jq '.agents[] | select(.result != "equal") | .fields'

\b
Exit codes, as for diff(1):
  0    no difference
  1    the executions differ
  2    usage error, or an execution does not exist
For the others see recs --help."""
)
@options_as(
    DiffOptions,
    key_argument("before", limits.ID_BYTES, metavar="EXEC_A"),
    click.argument("after", metavar="[EXEC_B]", required=False, callback=key(limits.ID_BYTES)),
    click.option("--all", "everything", is_flag=True, help="Also compare cost, duration and all other metadata."),
)
@options_as(ListOptions, agents_option())
@read_options
@click.pass_obj
def diff(runtime: Runtime, read: ReadOptions, listed: ListOptions, options: DiffOptions, /) -> None:
    """Show what changed from EXEC_A to EXEC_B, agent by agent.

    Compares confidence, every field of the recommendation, status and error, the reasoning sentence by sentence, and
    the citations. With one execution, which must be a replay, compares it with its original.
    """
    from recommendation_cli.diff.run import show_diff

    show_diff(runtime, read, listed, (options.before, options.after), everything=options.everything)
