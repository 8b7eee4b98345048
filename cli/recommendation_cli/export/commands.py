"""The commands of `recs export`. Their code is imported when they run: help is instant."""

from pathlib import Path
from typing import Final

import click

from recommendation_cli.completion import complete_agents
from recommendation_cli.export.dataset_options import dataset_options
from recommendation_cli.export.destination import EXPORT_FORMATS, Destination, destination_of
from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.keys import key_argument
from recommendation_cli.options.listing import ListOptions, agents_option, filter_options, period_options
from recommendation_cli.options.table import TableOptions, table_options
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

_destination: Final = options_as(
    destination_of,
    click.argument("path", metavar="FILE", type=click.Path(allow_dash=True)),
    click.option(
        "--format",
        "file_format",
        type=click.Choice(EXPORT_FORMATS),
        help="File format [default: by the file's suffix].",
    ),
    click.option("--overwrite", is_flag=True, help="Replace an existing file."),
    click.option("--bom", is_flag=True, help="Start CSV with a byte order mark, so that Excel reads umlauts."),
    dataset_options,
)


@click.command(epilog="\b\nExample:\n  recs export incident incident-7 incident-7.jsonl")
@key_argument("incident_id", limits.ID_BYTES)
@_destination
@options_as(ListOptions, agents_option(), period_options, filter_options)
@table_options
@click.pass_obj
def incident(
    runtime: Runtime, table: TableOptions, listed: ListOptions, destination: Destination, /, incident_id: str
) -> None:
    """Export one incident.

    Use - for standard output; such an export cannot be resumed.
    """
    from recommendation_cli.export.run import start

    start(runtime, (("incidentId", incident_id),), table, listed, destination)


@click.command(epilog="\b\nExample:\n  recs export agent consensus consensus.csv --since 30d")
@key_argument("agent_type", limits.AGENT_TYPE_BYTES, complete=complete_agents)
@_destination
@options_as(ListOptions, period_options, filter_options)
@table_options
@click.pass_obj
def agent(
    runtime: Runtime, table: TableOptions, listed: ListOptions, destination: Destination, /, agent_type: str
) -> None:
    """Export one agent across all incidents.

    Use - for standard output; such an export cannot be resumed.
    """
    from recommendation_cli.export.run import start

    start(runtime, (("agentType", agent_type),), table, listed, destination)


@click.command(epilog="\b\nExample:\n  recs export execution exec-42 exec-42.jsonl")
@key_argument("execution_id", limits.ID_BYTES)
@_destination
@options_as(ListOptions, agents_option(), period_options, filter_options)
@table_options
@click.pass_obj
def execution(
    runtime: Runtime, table: TableOptions, listed: ListOptions, destination: Destination, /, execution_id: str
) -> None:
    """Export one execution.

    Use - for standard output; such an export cannot be resumed.
    """
    from recommendation_cli.export.run import start

    start(runtime, (("executionId", execution_id),), table, listed, destination)


@click.command(epilog="\b\nExample:\n  recs export period january.jsonl --since 2026-01-01 --until 2026-01-31")
@_destination
@options_as(ListOptions, agents_option(default="all agents"), period_options, filter_options)
@table_options
@click.pass_obj
def period(runtime: Runtime, table: TableOptions, listed: ListOptions, destination: Destination, /) -> None:
    """Export every agent over a period.

    Use - for standard output; such an export cannot be resumed. The table has no index by time alone, so this reads
    the agent index one type after another, including agents that are new.
    """
    from recommendation_cli.export.run import start_period

    start_period(runtime, table, listed, destination)


@click.command(epilog="\b\nExample:\n  recs export resume january.jsonl")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def resume(runtime: Runtime, /, path: Path) -> None:
    """Resume an interrupted export.

    It keeps the options it was started with.
    """
    from recommendation_cli.export.run import resume as resume_export

    resume_export(runtime, path)


@click.command(
    epilog="""\b
Examples:
  recs export verify january.jsonl
  recs export verify incidents/dt=2026-01-31/4421584500000000025478-5d0e.jsonl.gz

\b
Exit codes:
  0    every line or row is intact
  4    some are not; their numbers and the reasons are on standard output
For the others see recs --help."""
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify(path: Path) -> None:
    """Check an export, or a file of the archive.

    Re-imports .jsonl, .parquet and the archive's .jsonl.gz: rebuilds each item as the consumer would and compares its
    digest and bytes. Nothing is sent.
    """
    from recommendation_cli.export.verify import verify_file

    verify_file(path)
