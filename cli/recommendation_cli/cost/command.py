"""`recs cost`. Its code is imported when it runs, so that help is instant."""

import re
from pathlib import Path
from typing import Final

import click

from recommendation_cli.cost.workload import Workload
from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.table import output_option
from recommendation_cli.runtime import Runtime

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB)?", re.IGNORECASE)
_BYTES: Final = {"B": 1, "KB": 1024, "MB": 1024 * 1024}


def _size(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter("must be a number of bytes, or a size such as 5KB")
    return round(float(match[1]) * _BYTES[(match[2] or "B").upper()])


@click.command(
    epilog="""\b
Examples:
  recs cost --incidents 1000
  recs cost --incidents 1000 --incident-metrics property --compact-indexes
  recs cost --incidents 50000 --size 20KB --days-kept 30 -o csv
  recs cost --incidents 1000 --prices eu-west-1.toml

\b
A price file is TOML and holds what differs from the prices.toml that recs ships with:
  region = "eu-west-1"
  date = "2026-11-22"
  [dynamodb]
  write_unit_million = 0.705"""
)
@options_as(
    Workload,
    click.option("--incidents", type=click.IntRange(1, 10**9), required=True, metavar="N", help="Incidents a month."),
    click.option(
        "--agents",
        metavar="N",
        type=click.IntRange(1, 1000),
        default=7,
        show_default=True,
        help="Recommendations per incident.",
    ),
    click.option(
        "--size", metavar="SIZE", default="5KB", show_default=True, callback=_size, help="Envelope size, 2KB to 300KB."
    ),
    click.option(
        "--days-kept",
        metavar="N",
        type=click.IntRange(1, 36_500),
        default=90,
        show_default=True,
        help="Retention in days.",
    ),
    click.option(
        "--reads",
        metavar="N",
        type=click.IntRange(0),
        default=10_000,
        show_default=True,
        help="Incidents listed per month.",
    ),
    click.option(
        "--reviews",
        metavar="N",
        type=click.IntRange(0, 1_000),
        default=2,
        show_default=True,
        help="Reviews per incident, which are kept.",
    ),
    click.option(
        "--incident-metrics",
        type=click.Choice(["dimension", "property", "none"]),
        default="dimension",
        show_default=True,
        help="What IncidentId is (the template's IncidentMetrics: true, property, false).",
    ),
    click.option("--compact-indexes", "compact", is_flag=True, help="Indexes that hold only what lists print."),
    click.option("--kms", is_flag=True, help="With a customer managed KMS key."),
    click.option("--pager-composite", is_flag=True, help="With one composite alarm that pages for all losses."),
    click.option(
        "--stage",
        type=click.Choice(["dev", "staging", "prod"]),
        default="prod",
        show_default=True,
        help="Only prod has a dashboard.",
    ),
)
@click.option("--region", metavar="NAME", help="Fail unless the prices are for this region.")
@click.option(
    "--prices", type=click.Path(path_type=Path), metavar="FILE", help="Prices that replace those recs ships with."
)
@output_option
@click.pass_obj
def cost(runtime: Runtime, work: Workload, /, region: str | None, prices: Path | None, output: str) -> None:
    """Compute a month's AWS bill, line by line.

    Each line has its list price, and what is billed beyond AWS's always-free tier if nothing else uses that. Calls,
    write units and log bytes were measured in a run of the real producer and consumer (python -m benchmarks.usage);
    prices are the published ones on the date shown. AWS is not called.
    """
    from recommendation_cli.cost.run import show_bill

    show_bill(runtime, work, region, prices, output)
