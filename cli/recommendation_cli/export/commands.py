"""The commands of `recs export`. What they do is imported when they run, so that help is instant."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from recommendation_cli.completion import complete_agents
from recommendation_cli.options import (
    EXPORTED,
    Destination,
    ListOptions,
    ReadOptions,
    agents_option,
    confidence_option,
    key,
    period_options,
    source_options,
)
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits

F = TypeVar("F", bound=Callable[..., Any])

_EPILOG: Final = """\b
Examples:
  recs export incident incident-7 incident-7.jsonl
  recs export agent consensus consensus.csv --since 30d
  recs export period january.jsonl --since 2026-01-01 --until 2026-01-31
  recs export period january.parquet --since 2026-01-01 --until 2026-01-31
  recs export incident incident-7 - --agent consensus | jq .confidence
  recs export resume january.jsonl
  recs export verify january.jsonl"""


@click.group(epilog=_EPILOG)
@click.pass_context
def export(ctx: click.Context, /) -> None:
    """Write whole documents to a file, oldest first.

    JSON Lines (.jsonl) hold a document exactly, and so does Parquet (.parquet) in its column `document`, beside typed
    columns; CSV is for spreadsheets. An export that was interrupted, even killed, goes on with resume: no document
    twice, none left out.
    """
    ctx.default_map = {name: dict(ctx.default_map or {}) for name in export.commands}


def _writing(command: F) -> F:
    """Add what all commands take that write a file."""
    form = click.option("--format", "form", type=click.Choice(EXPORTED), help="Instead of that of the name.")
    overwrite = click.option("--overwrite", is_flag=True, help="Replace the file if there is one.")
    return form(overwrite(period_options(confidence_option(source_options(command)))))


_FILE: Final = click.argument("destination", metavar="FILE", type=click.Path(allow_dash=True))


@export.command(epilog="\b\nExample:\n  recs export incident incident-7 incident-7.jsonl")
@click.argument("incident_id", callback=key(limits.ID_BYTES))
@_FILE
@agents_option
@_writing
@click.pass_obj
def incident(runtime: Runtime, /, incident_id: str, **options: Any) -> None:
    """Export one incident.

    FILE - is standard output, which cannot be gone on with.
    """
    _export(runtime, (("incidentId", incident_id),), **options)


@export.command(epilog="\b\nExample:\n  recs export agent consensus consensus.csv --since 30d")
@click.argument("agent_type", callback=key(limits.AGENT_TYPE_BYTES), shell_complete=complete_agents)
@_FILE
@_writing
@click.pass_obj
def agent(runtime: Runtime, /, agent_type: str, **options: Any) -> None:
    """Export one agent over all incidents.

    FILE - is standard output, which cannot be gone on with.
    """
    _export(runtime, (("agentType", agent_type),), **options)


@export.command(epilog="\b\nExample:\n  recs export execution exec-42 exec-42.jsonl")
@click.argument("execution_id", callback=key(limits.ID_BYTES))
@_FILE
@agents_option
@_writing
@click.pass_obj
def execution(runtime: Runtime, /, execution_id: str, **options: Any) -> None:
    """Export one execution.

    FILE - is standard output, which cannot be gone on with.
    """
    _export(runtime, (("executionId", execution_id),), **options)


@export.command(epilog="\b\nExample:\n  recs export period january.jsonl --since 2026-01-01 --until 2026-01-31")
@_FILE
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="TYPE",
    shell_complete=complete_agents,
    help="Only of this agent; may be repeated [default: each of the usual seven].",
)
@_writing
@click.pass_obj
def period(runtime: Runtime, /, agents: tuple[str, ...], **options: Any) -> None:
    """Export the usual agents over a period.

    FILE - is standard output, which cannot be gone on with. The table has no index of time alone, so this reads the
    agent index one type after another; types beyond the usual seven are only read when --agent names them.
    """
    from recommendation_cli.export.run import agent_keys

    _export(runtime, agent_keys(agents), **options)


@export.command(epilog="\b\nExample:\n  recs export resume january.jsonl")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def resume(runtime: Runtime, /, path: Path) -> None:
    """Go on with an interrupted export.

    It keeps the options with which it began.
    """
    from recommendation_cli.export.run import resume as go_on

    go_on(runtime, path)


@export.command(
    epilog="""\b
Example:
  recs export verify january.jsonl

\b
Exit codes:
  0    every line or row is right
  4    one is not; their numbers and reasons are on standard output
The others are those of recs --help."""
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify(path: Path) -> None:
    """Check a .jsonl or .parquet export by re-importing it.

    Each item is made again as the consumer makes it, and its digest and bytes are compared. Nothing is sent.
    """
    from recommendation_cli.export.verify import verify_file

    verify_file(path)


def _export(runtime: Runtime, keys: tuple[tuple[str, str], ...], **options: Any) -> None:
    from recommendation_cli.export.run import begin

    destination = Destination(*(options.pop(name) for name in ("destination", "form", "overwrite")))
    listed = ListOptions.taken_from(options)
    begin(runtime, keys, ReadOptions(output="", **options), listed, destination)
