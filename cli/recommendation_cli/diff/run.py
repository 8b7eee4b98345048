"""Fetch two executions for `recs diff`, compare them and print the differences."""

import sys
from typing import Final

import click

from recommendation_cli.aws.errors import NothingFoundError, NothingToCompareError
from recommendation_cli.diff.comparison import as_json, compare
from recommendation_cli.diff.view import print_side, render_diff
from recommendation_cli.document_source import DocumentSource
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.timeline.executions import group_by_execution

DIFFERENT: Final = 1  # exit code, as for diff(1)


def show_diff(
    runtime: Runtime,
    read: ReadOptions,
    listed: ListOptions,
    executions: tuple[str, str | None],
    *,
    everything: bool,
) -> None:
    """Print what changed from one execution to another; a replay named alone is compared with its original.

    Exits with 1 when they differ. Raises `NothingToCompareError` when a side is missing.
    """
    source = DocumentSource(runtime, read)
    before, after = executions
    documents = _execution(source, before, listed)
    if after is None:
        before, after = _original_of(before, documents), before
        sides = _execution(source, before, listed), documents
    else:
        sides = documents, _execution(source, after, listed)
    agents = compare(*sides, everything=everything)
    if read.output == "json":
        sys.stdout.buffer.write(f"{pretty_json(as_json(before, after, agents))}\n".encode())
    elif read.output != "table":
        write_records(sys.stdout.buffer, as_json(before, after, agents)["agents"], read.output)
    else:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        for sign, execution_id, side in zip("-+", (before, after), sides, strict=True):
            print_side(console, sign, execution_id, side)
        render_diff(console, agents)
    sys.stdout.flush()
    if not all(agent.equal for agent in agents):
        click.get_current_context().exit(DIFFERENT)


def _execution(source: DocumentSource, execution_id: str, listed: ListOptions) -> list[Document]:
    try:
        return source.fetch("executionId", execution_id, listed)
    except NothingFoundError as error:
        raise NothingToCompareError(error.message) from None


def _original_of(execution_id: str, documents: list[Document]) -> str:
    for execution in group_by_execution(documents):
        if execution.replay_of is not None:
            return execution.replay_of
    raise NothingToCompareError(f"Execution {visible(execution_id)} is not marked as a replay: name both executions.")
