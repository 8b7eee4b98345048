"""Fetch two executions for `recs diff`, compare them and print the differences."""

import sys
from typing import Final

import click

from recommendation_cli.diff.comparison import as_json, compare
from recommendation_cli.diff.query import read_sides
from recommendation_cli.diff.view import print_side, render_diff
from recommendation_cli.document_source import DocumentSource
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope

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
    sides = read_sides(DocumentSource(runtime, read), *executions, listed)
    (before, old), (after, new) = sides
    agents = compare(old, new, everything=everything)
    if read.output == "json":
        sys.stdout.buffer.write(f"{pretty_json(as_json(before, after, agents))}\n".encode())
    elif read.output != "table":
        write_records(sys.stdout.buffer, as_json(before, after, agents)["agents"], read.output)
    else:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        for sign, side in zip("-+", sides, strict=True):
            print_side(console, sign, *side)
        render_diff(console, agents)
    sys.stdout.flush()
    if not all(agent.equal for agent in agents):
        click.get_current_context().exit(DIFFERENT)
