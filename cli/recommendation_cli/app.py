"""`recs` itself: its commands, and options that may stand before a command."""

import gc
import sys
from typing import Any, Final

import click
from click.core import ParameterSource

from recommendation_cli.aws.errors import ExitCode
from recommendation_cli.completion import SHELLS, completion_script
from recommendation_cli.config.commands import config
from recommendation_cli.cost.command import cost
from recommendation_cli.dead_letters.commands import dlq
from recommendation_cli.diff.command import diff
from recommendation_cli.doctor.command import doctor
from recommendation_cli.erasure.command import erase
from recommendation_cli.export.commands import export
from recommendation_cli.follow.command import follow
from recommendation_cli.help_pages import help_pages
from recommendation_cli.holds.commands import hold, holds, release
from recommendation_cli.incidents.command import incidents
from recommendation_cli.options.table import read_declarations
from recommendation_cli.reading.commands import agent, execution, incident, show
from recommendation_cli.report.command import report
from recommendation_cli.reviewing.commands import review, reviews
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.pager import paged
from recommendation_cli.screen.streams import OutputError, discard_output, open_streams
from recommendation_cli.stats.command import stats
from recommendation_cli.text_search.command import search
from recommendation_cli.timeline.command import timeline
from recommendation_cli.ui.command import ui

_EPILOG: Final = """\b
Examples:
  recs incident incident-aws-s3-2017-02-28
  recs timeline incident-aws-s3-2017-02-28
  recs agent consensus --since 24h
  recs execution exec-42 -o jsonl | jq .confidence
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z
  recs diff exec-41 exec-42
  recs report incident-7 -o incident-7.html
  recs review rec-incident-7-consensus-2026-01-31T12:00:00Z --verdict helpful

\b
Exit codes:
  0    done
  1    nothing found, or everything found has expired
       (recs diff: the executions differ; recs doctor: problems found)
  2    usage error (recs diff: also when an execution does not exist)
  3    AWS refused the call, or could not be reached
  4    content does not match its digest (recs show, recs export verify);
       recs hold, release and erase: something is left, run it again
  5    incomplete; the message says why (recs dlq, recs export; or the output cannot be written)
  130  interrupted
  141  whatever was reading the output closed it, as in | head

\b
On a terminal, long output goes through $RECS_PAGER, $PAGER or less (--no-pager: none).
NO_COLOR turns colours off, FORCE_COLOR turns them on, and COLUMNS sets the width of tables.
"""


_EXPLICIT: Final = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


class _Recs(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit quietly if it is interrupted, at a prompt too."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(ExitCode.INTERRUPTED)


@click.group(cls=_Recs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opx-agent-recommendations", prog_name="recs")
@read_declarations
@click.pass_context
def recs(ctx: click.Context, /, **_options: object) -> None:
    """Read what the agents recommended during an incident, newest first.

    The options below may be given before or after the command.
    """
    explicit = {name: value for name, value in ctx.params.items() if ctx.get_parameter_source(name) in _EXPLICIT}
    ctx.default_map = dict.fromkeys(recs.commands, explicit)


@recs.command(
    epilog="""\b
Examples, each for the startup file of its shell:
  eval "$(recs completion bash)"      # ~/.bashrc
  eval "$(recs completion zsh)"       # ~/.zshrc, after compinit
  recs completion fish | source       # ~/.config/fish/config.fish"""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that sets up completion in a shell.

    It completes commands, options and agent types. Bash must be 4.4 or newer; macOS ships an older one.
    """
    click.echo(completion_script(recs, shell))


for command in (incidents, stats, incident, agent, execution, show, timeline, diff, reviews, holds, help_pages):
    recs.add_command(paged(command))
for command in (search, follow, export, report, review, ui, doctor, cost, dlq, hold, release, erase, config):
    recs.add_command(command)


def run() -> None:
    """Run `recs` with the process's arguments; never returns."""
    # Loading botocore's model of DynamoDB allocates many objects and frees none. Collecting garbage at Python's default
    # of every 700 objects took 35 of the 350 ms of CPU that `recs show` needs.
    gc.set_threshold(100_000)
    open_streams()
    try:
        try:
            recs(prog_name="recs", obj=Runtime.of_process())
        finally:
            sys.stdout.flush()
    except OutputError as error:
        discard_output()
        if error.is_closed_pipe:
            sys.exit(ExitCode.BROKEN_PIPE)
        click.echo(f"Error: Standard output cannot be written: {error}.", err=True)
        sys.exit(ExitCode.INCOMPLETE)
