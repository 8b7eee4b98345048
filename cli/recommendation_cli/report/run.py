"""What `recs report` does once its options are known."""

import sys
from pathlib import Path

import click

from recommendation_cli.document_source import DocumentSource
from recommendation_cli.options import STDOUT, ListOptions, TableOptions
from recommendation_cli.report.page import report_page
from recommendation_cli.runtime import Runtime
from recommendation_cli.timeline.runs import runs


def write_report(
    runtime: Runtime, incident_id: str, destination: str, table: TableOptions, listed: ListOptions
) -> None:
    """Write an incident's page to a file, which it replaces at once and whole, or to standard output."""
    found = runs(DocumentSource(runtime, table).fetch("incidentId", incident_id, listed))
    made = report_page(incident_id, found, str(table.target(runtime)), runtime.now(), listed.scope(runtime))
    page = made.encode()
    if destination == STDOUT:
        sys.stdout.buffer.write(page)
        return
    path = Path(destination)
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.write_bytes(page)
        fresh.replace(path)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(f"The page is {path}, {len(page) // 1000} kB: open it in any browser.", err=True)
