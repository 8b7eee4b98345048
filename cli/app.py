"""The commands of `recs`. What they do is imported when they run, so that help is instant."""

import gc
import os
import sys
from typing import Any, Final

import click
from click.core import ParameterSource

from cli.completion import SHELLS, complete_agents, completion_script
from cli.cost_command import cost
from cli.dlq_commands import dlq
from cli.errors import ExitCode
from cli.options import (
    ListOptions,
    ReadOptions,
    confidence_option,
    key,
    limit_option,
    list_options,
    period_options,
    read_options,
)
from cli.review import COMMANDS
from cli.runtime import Runtime
from shared import limits

_RECOMMENDATION_ID_BYTES: Final = 2048  # DynamoDB's limit of a partition key
_EPILOG: Final = """\b
Examples:
  recs incident incident-aws-s3-2017-02-28
  recs timeline incident-aws-s3-2017-02-28
  recs agent consensus --since 24h
  recs execution exec-42 -o jsonl | jq .confidence
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z
  recs diff exec-41 exec-42
  recs report incident-7 -o incident-7.html

\b
Exit codes:
  0    done
  1    nothing found, or all of it expired
       (recs diff: the executions differ; recs doctor: not all is right)
  2    wrong usage (recs diff: also when an execution is not there)
  3    AWS refused the call or could not be reached
  4    content does not match its digest (recs show, recs export verify)
  5    not done to the end; the message says why (recs dlq, recs export)
  130  interrupted
  141  the reader of the output went away, as in | head

\b
NO_COLOR switches colours off; COLUMNS sets the width of tables.
"""


_GIVEN: Final = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


class _Recs(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; end quietly when it is interrupted or its output is no longer read."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered would fail again, with a message, when the interpreter closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(ExitCode.BROKEN_PIPE)
        except KeyboardInterrupt:
            ctx.exit(ExitCode.INTERRUPTED)


@click.group(cls=_Recs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opx-agent-recommendations", prog_name="recs")
@read_options
@click.pass_context
def recs(ctx: click.Context, /, **options: Any) -> None:
    """Read what the agents recommended during an incident, newest first.

    The options below may stand before or after the command.
    """
    given = {name: value for name, value in options.items() if ctx.get_parameter_source(name) in _GIVEN}
    ctx.default_map = dict.fromkeys(recs.commands, given)


@recs.command(
    epilog="""\b
Examples:
  recs incident incident-aws-s3-2017-02-28
  recs incident incident-7 --since 2026-01-31 --until 2026-02-01
  recs incident incident-7 --since 12:00 --agent consensus --agent knowledge-rag
  recs incident incident-7 -o json > incident-7.json"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@list_options
@read_options
@click.pass_obj
def incident(runtime: Runtime, /, incident_id: str, **options: Any) -> None:
    """List an incident's recommendations by execution."""
    _list(runtime, "incidentId", incident_id, options)


@recs.command(
    epilog="""\b
Examples:
  recs agent consensus --limit 20
  recs agent risk-blast-radius --since 7d -o csv > week.csv
  recs agent consensus --since 24h --min-confidence 0.8"""
)
@click.argument("agent_type", callback=key(limits.AGENT_TYPE_BYTES), shell_complete=complete_agents)
@limit_option
@period_options
@confidence_option
@read_options
@click.pass_obj
def agent(runtime: Runtime, /, agent_type: str, **options: Any) -> None:
    """List an agent's recommendations over all incidents."""
    _list(runtime, "agentType", agent_type, options)


@recs.command(
    epilog="""\b
Examples:
  recs execution exec-42
  recs execution exec-42 -o jsonl | jq -r .reasoning"""
)
@click.argument("execution_id", callback=key(limits.ID_BYTES))
@list_options
@read_options
@click.pass_obj
def execution(runtime: Runtime, /, execution_id: str, **options: Any) -> None:
    """List what one execution recommended."""
    _list(runtime, "executionId", execution_id, options)


@recs.command(
    epilog="""\b
Examples:
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z
  recs show rec-incident-7-consensus-2026-01-31T12:00:00Z -o json | jq .recommendation"""
)
@click.argument("rec_id", callback=key(_RECOMMENDATION_ID_BYTES))
@read_options
@click.pass_obj
def show(runtime: Runtime, /, rec_id: str, **options: Any) -> None:
    """Show one recommendation whole, and verify its digest.

    With -o json this is one object; the lists are arrays.
    """
    from cli.reading import show_recommendation  # noqa: PLC0415 - see the module's docstring

    show_recommendation(runtime, rec_id, ReadOptions(**options))


@recs.command(
    epilog="""\b
Examples, each for the start-up file of its shell:
  eval "$(recs completion bash)"      # ~/.bashrc
  eval "$(recs completion zsh)"       # ~/.zshrc, after compinit
  recs completion fish | source       # ~/.config/fish/config.fish"""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes a shell complete commands, options and agent types.

    Bash has to be 4.4 or newer; that of macOS is not.
    """
    click.echo(completion_script(recs, shell))


def _list(runtime: Runtime, key: str, value: str, options: dict[str, Any]) -> None:
    from cli.reading import list_recommendations  # noqa: PLC0415 - see the module's docstring

    listed = ListOptions.taken_from(options)
    list_recommendations(runtime, key, value, ReadOptions(**options), listed)


for command in (*COMMANDS, cost, dlq):
    recs.add_command(command)


def main() -> None:
    """Run `recs` with the process's arguments; never returns."""
    # Loading botocore's description of DynamoDB allocates much and frees nothing: collecting on the way, at Python's
    # default of every 700 objects, took 35 ms of CPU of the 350 that `recs show` needs.
    gc.set_threshold(100_000)
    # A terminal whose encoding lacks a character shows its escape instead of a traceback.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a real stream has it
    recs(prog_name="recs", obj=Runtime.of_process())
