"""Measure what reading a large incident costs: `recs` in each format, botocore's own parser, and the AWS CLI."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.cli.measure import Cost, run
from benchmarks.cli.table_stub import INCIDENT, running_table
from benchmarks.support.command import machine, options, write

_TABLE: Final = "opx-agent-recommendations"
_EXECUTIONS: Final = 1_429  # 10,003 recommendations
_QUICK_EXECUTIONS: Final = 30
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
        epilog="The stub runs in its own process. CPU includes starting the program.",
        quick=f"{_QUICK_EXECUTIONS} executions",
    )
    executions = _QUICK_EXECUTIONS if chosen.quick else _EXECUTIONS
    count = 7 * executions
    with running_table(executions) as url, tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "stub",
            "AWS_SECRET_ACCESS_KEY": "stub",
            "RECOMMENDATIONS_TABLE": _TABLE,
        }
        print(f"{count:,} recommendations\n")
        print(f"| {'command':36} | first line, s | wall, s | CPU, s | CPU an item, µs | peak memory, MB |")
        print(f"|{'-' * 38}|--:|--:|--:|--:|--:|")
        costs: dict[str, Cost] = {}
        for name, command in _commands(url, Path(folder)).items():
            costs[name] = run(command, environ)
            print(_row(name, costs[name], count), flush=True)
    report = {"machine": machine(["botocore", "orjson"]), "recommendations": count}
    write({**report, "costs": {name: cost._asdict() for name, cost in costs.items()}}, chosen.json)


def _commands(url: str, folder: Path) -> dict[str, list[str]]:
    commands = {
        "recs incident": [*_RECS, "incident", INCIDENT],
        "recs incident --limit 20": [*_RECS, "incident", INCIDENT, "--limit", "20"],
        "recs incident -o jsonl": [*_RECS, "incident", INCIDENT, "-o", "jsonl"],
        "recs export incident (.jsonl)": [*_RECS, "export", "incident", INCIDENT, str(folder / "export.jsonl")],
        "recs export incident (.csv)": [*_RECS, "export", "incident", INCIDENT, str(folder / "export.csv")],
        "botocore: paginate, print nothing": [sys.executable, "-c", _BOTOCORE],
    }
    if _AWS_CLI.exists():
        query = ["dynamodb", "query", "--table-name", _TABLE, "--index-name", "incidentId-timestamp-index"]
        values = '{":v": {"S": "' + INCIDENT + '"}}'
        condition = ["--key-condition-expression", "incidentId = :v", "--expression-attribute-values", values]
        commands["aws dynamodb query"] = [str(_AWS_CLI), "--endpoint-url", url, *query, *condition]
    return commands


def _row(name: str, cost: Cost, count: int) -> str:
    seconds = f"{cost.first_line:.1f} | {cost.wall:.1f} | {cost.cpu:.1f}"
    return f"| {name:36} | {seconds} | {cost.cpu / count * 1e6:,.0f} | {cost.peak / 1e6:,.0f} |"


if __name__ == "__main__":
    main()
