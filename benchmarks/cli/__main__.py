"""Measure what reading a large incident costs: `recs` in each format, botocore's own parser, and the AWS CLI.

Then measure the CPU time of commands that do little else than start, and the first page of `recs ui` with as many
recommendations of the last six days.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from benchmarks.cli import first_page
from benchmarks.cli.generated_items import INCIDENT, NEWEST_INCIDENT, PER_EXECUTION
from benchmarks.cli.measure import Cost, run
from benchmarks.cli.table_stub import running_incident, running_recent
from benchmarks.support.command import machine, options, write
from recommendation_shared.item.encoding import PARTITION_KEY

_TABLE: Final = "opx-agent-recommendations"
_EXECUTIONS: Final = 1_429  # 10,003 recommendations
_QUICK_EXECUTIONS: Final = 30
_AWS_EXECUTIONS: Final = 200  # the AWS CLI reads for ten minutes where others take one
_LATER_PAGES: Final = 4
_STARTS: Final = 7  # the fastest counts, since whatever else the machine does only adds to it
_AWS_CLI: Final = Path(f"{sys.prefix}-stack") / "bin" / "aws"  # the local stack's environment has one
_RECS: Final = [sys.executable, "-m", "recommendation_cli"]
_BOTOCORE: Final = f"""
import botocore.session
pages = botocore.session.Session().create_client("dynamodb").get_paginator("query").paginate(
    TableName="{_TABLE}", IndexName="incidentId-timestamp-index", KeyConditionExpression="incidentId = :v",
    ExpressionAttributeValues={{":v": {{"S": "{INCIDENT}"}}}})
for page in pages:
    print(len(page["Items"]), flush=True)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    chosen = options(
        arguments,
        name="cli",
        description=__doc__,
        epilog="The stub runs in its own process. CPU includes starting the program, except for the page.",
        quick=f"{_QUICK_EXECUTIONS} executions",
    )
    executions = _QUICK_EXECUTIONS if chosen.quick else _EXECUTIONS
    print(f"| {'command':36} | items | first line, s | wall, s | CPU, s | CPU an item, µs | peak memory, MB |")
    print(f"|{'-' * 38}|--:|--:|--:|--:|--:|--:|")
    costs: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        with running_incident(executions) as url:
            for name, command in _commands(Path(folder)).items():
                costs[name] = _measured(name, command, _environ(url), PER_EXECUTION * executions)
        fewer = min(executions, _AWS_EXECUTIONS)
        with running_incident(fewer) as url:
            if _AWS_CLI.exists():
                costs["aws dynamodb query"] = _measured(
                    "aws dynamodb query", _aws_query(url), _environ(url), PER_EXECUTION * fewer
                )
            starts = _starts(_environ(url), 1 if chosen.quick else _STARTS)
    print("\n| command | CPU, ms |\n|---|--:|")
    for name, seconds in starts.items():
        print(f"| {name} | {seconds * 1000:,.0f} |")
    pages = _pages(executions, later=1 if chosen.quick else _LATER_PAGES)
    report = {"machine": machine(["botocore", "orjson"]), "costs": costs, "starts": starts, "first_page": pages}
    write(report, chosen.json)


def _environ(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "stub",
        "AWS_SECRET_ACCESS_KEY": "stub",
        "RECOMMENDATIONS_TABLE": _TABLE,
    }


def _measured(name: str, command: Sequence[str], environ: Mapping[str, str], count: int) -> dict[str, float]:
    """Measure a command that reads `count` recommendations, and print its row."""
    cost = run(command, environ)
    print(_row(name, cost, count), flush=True)
    return {"items": count, **cost._asdict()}


def _starts(environ: Mapping[str, str], times: int) -> dict[str, float]:
    """Return the CPU seconds of commands that do little else than start."""
    listed = subprocess.run(
        [*_RECS, "incident", INCIDENT, "--limit", "1", "-o", "jsonl"], env=environ, check=True, stdout=subprocess.PIPE
    )
    recommendation_id = orjson.loads(listed.stdout)[PARTITION_KEY]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        # The yardstick: recs show cannot do without botocore.
        'python -c "import botocore.session"': [sys.executable, "-c", "import botocore.session"],
        "recs --help": [*_RECS, "--help"],
        "recs show": [*_RECS, "show", recommendation_id],
    }
    return {name: min(run(command, environ).cpu for _ in range(times)) for name, command in commands.items()}


def _pages(executions: int, *, later: int) -> dict[str, dict[str, float]]:
    """Measure the first page of `recs ui`, and print its table and goals."""
    with running_recent(executions, first_page.DELAY) as url:
        pages = first_page.measured([*_RECS, "ui", "--no-browser"], _environ(url), NEWEST_INCIDENT, later=later)
    print(f"\n{first_page.table(pages)}\n\n{first_page.goals(pages)}")
    return {name: page._asdict() for name, page in pages.items()}


def _aws_query(url: str) -> list[str]:
    query = ["dynamodb", "query", "--table-name", _TABLE, "--index-name", "incidentId-timestamp-index"]
    values = '{":v": {"S": "' + INCIDENT + '"}}'
    condition = ["--key-condition-expression", "incidentId = :v", "--expression-attribute-values", values]
    return [str(_AWS_CLI), "--endpoint-url", url, *query, *condition]


def _commands(folder: Path) -> dict[str, list[str]]:
    return {
        "recs incident": [*_RECS, "incident", INCIDENT],
        "recs incident --limit 20": [*_RECS, "incident", INCIDENT, "--limit", "20"],
        "recs incident -o jsonl": [*_RECS, "incident", INCIDENT, "-o", "jsonl"],
        "recs export incident (.jsonl)": [*_RECS, "export", "incident", INCIDENT, str(folder / "export.jsonl")],
        "recs export incident (.csv)": [*_RECS, "export", "incident", INCIDENT, str(folder / "export.csv")],
        "botocore: paginate, print nothing": [sys.executable, "-c", _BOTOCORE],
    }


def _row(name: str, cost: Cost, count: int) -> str:
    seconds = f"{cost.first_line:.1f} | {cost.wall:.1f} | {cost.cpu:.1f}"
    return f"| {name:36} | {count:,} | {seconds} | {cost.cpu / count * 1e6:,.0f} | {cost.peak / 1e6:,.0f} |"


if __name__ == "__main__":
    main()
