"""Fetch an incident for `recs report` and write its page."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click
from rich.filesize import decimal

from recommendation_cli.document_source import DocumentSource
from recommendation_cli.durable_file import durable_file
from recommendation_cli.marks.text import notice
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import STDOUT, TableOptions
from recommendation_cli.report.page import report_page
from recommendation_cli.reviews.beside import print_note
from recommendation_cli.runtime import Runtime
from recommendation_cli.timeline.executions import group_by_execution


def write_report(  # noqa: PLR0913 - one for each group of options
    runtime: Runtime, incident_id: str, destination: str, table: TableOptions, listed: ListOptions, *, full: bool
) -> None:
    """Write an incident's page to standard output, or to a file, which changes all at once or not at all."""
    documents = DocumentSource(runtime, table)
    found = documents.fetch("incidentId", incident_id, listed)
    reviewed = documents.reviews.of_incident(incident_id)
    executions = group_by_execution(found, reviewed)
    source, scope = str(table.target(runtime)), listed.scope(runtime)
    author, standing = _author(runtime.environ), notice(documents.mark(incident_id))
    page = report_page(
        *(incident_id, executions, source, runtime.now(), scope),
        author=author,
        standing=standing,
        full=full,
        reviewed=reviewed,
    ).encode()
    if destination == STDOUT:
        sys.stdout.buffer.write(page)
        sys.stdout.flush()
        print_note(documents.reviews)
        return
    path = Path(destination)
    try:
        with durable_file(path) as stream:
            stream.write(page)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(f"Wrote {path}, {decimal(len(page))}: open it in any browser.", err=True)
    print_note(documents.reviews)


def _author(environ: Mapping[str, str]) -> str:
    """Return who makes the page, and with which version."""
    from importlib.metadata import version

    user = next(filter(None, (environ.get(name) for name in ("USER", "LOGNAME", "USERNAME"))), "")
    program = f"recs {version('opx-agent-recommendations')}"
    return f"{user} with {program}" if user else program
