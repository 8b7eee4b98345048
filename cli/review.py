"""The commands of a post-incident review. What they do is imported when they run, so that help is instant."""

from typing import Any, Final

import click

from cli.dlq_options import QueueOptions, queue_options
from cli.export_commands import export
from cli.options import (
    ListOptions,
    ReadOptions,
    agents_option,
    form_option,
    key,
    list_options,
    read_options,
    source_options,
)
from cli.runtime import Runtime
from shared import limits


@click.command(
    epilog="""\b
Examples:
  recs timeline incident-aws-s3-2017-02-28
  recs timeline incident-7 --since 24h
  recs timeline incident-7 -o jsonl | jq 'select(.failed) | .agentType'"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@list_options
@read_options
@click.pass_obj
def timeline(runtime: Runtime, /, incident_id: str, **options: Any) -> None:
    """Show who said what when during an incident, oldest first.

    How long an agent worked is its metadata.durationMs; where that is missing, only its completion is marked.
    """
    from cli.timeline_view import show_timeline  # noqa: PLC0415 - see the module's docstring

    listed = ListOptions.taken_from(options)
    show_timeline(runtime, incident_id, ReadOptions(**options), listed)


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
    from cli.diff_view import show_diff  # noqa: PLC0415 - see the module's docstring

    listed = ListOptions(agents=agents)
    show_diff(runtime, (before, after), ReadOptions(**options), listed, everything=everything)


@click.command(
    epilog="""\b
Examples:
  recs report incident-7 -o incident-7.html
  recs report incident-7 --since 24h -o today.html"""
)
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@click.option(
    "-o", "--output", "destination", required=True, metavar="FILE", help="Replaced if it exists; - is stdout."
)
@list_options
@source_options
@click.pass_obj
def report(runtime: Runtime, /, incident_id: str, destination: str, **options: Any) -> None:
    """Write an incident's page for the post-incident review.

    One HTML file with timeline, confidence, agreement and conflicts, each agent's reasoning and citations, and what a
    replay changed. It needs no network and runs no script; agents' text is shown as text.
    """
    from cli.report import write_report  # noqa: PLC0415 - see the module's docstring

    listed = ListOptions.taken_from(options)
    write_report(runtime, incident_id, destination, ReadOptions(output="", **options), listed)


@click.command(
    epilog="""\b
Examples:
  recs doctor
  recs doctor -o json | jq '.[] | select(.state == "wrong")'

\b
Exit codes:
  0    all is as the template wants it
  1    something is not, or could not be looked at
The others are those of recs --help."""
)
@form_option
@click.option(
    "--table", metavar="NAME", help="Table [default: $RECOMMENDATIONS_TABLE, else opx-agent-recommendations]."
)
@queue_options
@click.pass_obj
def doctor(runtime: Runtime, /, output: str, table: str | None, **options: Any) -> None:
    """Check queues, table, indexes, mapping and permissions against the template.

    Each finding comes with its remedy. Nothing is changed. What you may not look at is named, with the permission.
    """
    from cli.connection import Target  # noqa: PLC0415 - see the module's docstring
    from cli.doctor_run import examine  # noqa: PLC0415 - as above

    queues = QueueOptions(**options)
    target = Target(table or runtime.default_table(), queues.region, queues.profile, queues.endpoint_url)
    examine(runtime, target, queues.destination(runtime), queues.dead_letters(runtime), output)


COMMANDS: Final = (timeline, diff, export, report, doctor)
