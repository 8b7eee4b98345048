"""`recs` itself: its commands, and options that may stand before a command."""

import sys
from functools import partial
from typing import Any, Final

import click
from click.core import ParameterSource

from recommendation_cli.aws.errors import ExitCode
from recommendation_cli.lazy_commands import LazyCommands, imported
from recommendation_cli.options.table import read_declarations
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.pager import paged
from recommendation_cli.screen.streams import OutputError, discard_output, open_streams

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


# Where each command is declared. What these print goes through the pager:
_PAGED: Final = {
    "incidents": "incidents.command:incidents",
    "stats": "stats.command:stats",
    "incident": "reading.commands:incident",
    "agent": "reading.commands:agent",
    "execution": "reading.commands:execution",
    "show": "reading.commands:show",
    "timeline": "timeline.command:timeline",
    "diff": "diff.command:diff",
    "reviews": "reviewing.commands:reviews",
    "holds": "holds.commands:holds",
    "help": "help_pages:help_pages",
}
_OTHERS: Final = {
    "search": "text_search.command:search",
    "follow": "follow.command:follow",
    "export": "export.group:export",
    "report": "report.command:report",
    "review": "reviewing.commands:review",
    "ui": "ui.command:ui",
    "doctor": "doctor.command:doctor",
    "cost": "cost.command:cost",
    "dlq": "dead_letters.group:dlq",
    "hold": "holds.commands:hold",
    "release": "holds.commands:release",
    "erase": "erasure.command:erase",
    "config": "config.commands:config",
    "completion": "completion:completion",
}


def _paged(place: str) -> click.Command:
    return paged(imported(place))


_COMMANDS: Final = LazyCommands(
    {
        **{name: partial(_paged, place) for name, place in _PAGED.items()},
        **{name: partial(imported, place) for name, place in _OTHERS.items()},
    }
)


class _Recs(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit quietly if it is interrupted, at a prompt too."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(ExitCode.INTERRUPTED)


@click.group(cls=_Recs, commands=_COMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opx-agent-recommendations", prog_name="recs")
@read_declarations
@click.pass_context
def recs(ctx: click.Context, /, **_options: object) -> None:
    """Read what the agents recommended during an incident, newest first.

    The options below may be given before or after the command.
    """
    explicit = {name: value for name, value in ctx.params.items() if ctx.get_parameter_source(name) in _EXPLICIT}
    ctx.default_map = dict.fromkeys(recs.commands, explicit)


def run() -> None:
    """Run `recs` with the process's arguments; never returns."""
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
