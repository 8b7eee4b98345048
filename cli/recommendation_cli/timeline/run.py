"""Fetch an incident for `recs timeline` and print it in order of time."""

import sys

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.document_source import DocumentSource
from recommendation_cli.marks.view import print_notice
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.reviews.beside import print_note
from recommendation_cli.reviews.view import print_conclusion
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.search.projection import LISTED
from recommendation_cli.timeline.executions import as_events, group_by_execution
from recommendation_cli.timeline.view import render_timeline


def show_timeline(runtime: Runtime, incident_id: str, read: ReadOptions, listed: ListOptions) -> None:
    """Print an incident's timeline."""
    as_table = read.output == "table"
    source = DocumentSource(runtime, read)
    try:
        documents = source.fetch("incidentId", incident_id, listed, attributes=LISTED if as_table else ())
    except NothingFoundError:
        if not as_table:
            write_records(sys.stdout.buffer, (), read.output)
        raise
    reviewed = source.reviews.of_incident(incident_id)
    executions = group_by_execution(documents, reviewed)
    if as_table:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        print_notice(console, source.mark(incident_id))
        print_conclusion(console, reviewed.of(incident_id))
        render_timeline(console, executions)
    else:
        write_records(sys.stdout.buffer, as_events(executions), read.output)
    sys.stdout.flush()
    print_note(source.reviews)
