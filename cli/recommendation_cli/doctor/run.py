"""Examine a deployment for `recs doctor`, and print the findings with their remedies."""

import sys
from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.errors import explained
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.doctor.checks import Finding
from recommendation_cli.doctor.examination import Examination
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.table import Cell, print_fields
from recommendation_cli.screen.terminal import open_terminal

PROBLEMS_FOUND: Final = 1  # exit code
_MARKS: Final = {"passed": ("ok", "green"), "failed": ("FAILED", "bold red"), "skipped": ("?", "yellow")}


def examine(  # noqa: PLR0913 - one for each part of the deployment
    runtime: Runtime, table: Target, reviews: Target, queue: QueueTarget, dead_letters: QueueTarget, *, output: str
) -> None:
    """Print what matches the template and what does not; exit with 1 unless everything does."""
    with explained(table):
        findings = list(Examination(runtime, table, reviews, queue, dead_letters).findings())
    if output == "table":
        render_findings(open_terminal(runtime.environ), findings)
    else:
        write_records(sys.stdout.buffer, [finding._asdict() for finding in findings], output)
    sys.stdout.flush()
    if any(finding.state != "passed" for finding in findings):
        click.get_current_context().exit(PROBLEMS_FOUND)


def render_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print findings in the order of the examination, each remedy below its finding, and a count of each result."""
    fields: list[tuple[Cell, Cell]] = []
    for finding in findings:
        fields.append((Text(*_MARKS[finding.state]), f"{finding.subject}: {_outcome(finding)}"))
        if finding.remedy:
            fields.append(("", Text(finding.remedy, style="dim")))
    print_fields(console, fields, label_width=len("FAILED"))
    counts = [f"{sum(finding.state == state for finding in findings)} {state}" for state in _MARKS]
    console.print(f"\n{', '.join(counts)}")


def _outcome(finding: Finding) -> str:
    match finding.state:
        case "passed":
            return finding.expected
        case "failed":
            return f"expected: {finding.expected} · found: {finding.actual}"
        case _:
            return finding.actual
