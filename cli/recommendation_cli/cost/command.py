"""`recs cost`. What it computes is imported when it runs, so that help is instant."""

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from recommendation_cli.cost.bill import Line

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB)?", re.IGNORECASE)
FORMS: Final = ("table", "json", "csv")
_BYTES: Final = {"B": 1, "KB": 1024, "MB": 1024 * 1024}


def _size(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter("must be a number of bytes, or such as 5KB")
    return round(float(found[1]) * _BYTES[(found[2] or "B").upper()])


@click.command(
    epilog="""\b
Examples:
  recs cost --incidents 1000
  recs cost --incidents 1000 --no-incident-metrics --compact-indexes
  recs cost --incidents 50000 --size 20KB --days-kept 30 -o csv
  recs cost --incidents 1000 --prices eu-west-1.toml

\b
A file of prices is TOML, and has what differs from the package's prices.toml:
  region = "eu-west-1"
  date = "2026-11-22"
  [dynamodb]
  write_unit_million = 0.705"""
)
@click.option("--incidents", type=click.IntRange(1, 10**9), required=True, metavar="N", help="A month.")
@click.option("--agents", type=click.IntRange(1, 1000), default=7, show_default=True, help="Recommendations of each.")
@click.option("--size", default="5KB", show_default=True, callback=_size, help="Of an envelope, 2KB to 300KB.")
@click.option("--days-kept", type=click.IntRange(1, 36_500), default=90, show_default=True, help="The retention.")
@click.option("--reads", type=click.IntRange(0), default=10_000, show_default=True, help="Incidents listed a month.")
@click.option("--incident-metrics/--no-incident-metrics", default=True, help="The IncidentId dimension [default: on].")
@click.option("--compact-indexes", is_flag=True, help="Indexes that hold what lists print.")
@click.option("--kms", is_flag=True, help="With a KMS key of one's own.")
@click.option("--region", help="Fails unless the prices are of this region.")
@click.option("--prices", type=click.Path(path_type=Path), metavar="FILE", help="Other prices than the package's.")
@click.option("-o", "--output", type=click.Choice(FORMS), default="table", show_default=True, help="Format.")
def cost(  # noqa: PLR0913 - one for each option
    *,
    incidents: int,
    agents: int,
    size: int,
    days_kept: int,
    reads: int,
    incident_metrics: bool,
    compact_indexes: bool,
    kms: bool,
    region: str | None,
    prices: Path | None,
    output: str,
) -> None:
    """Show what a month costs in AWS, line by line, without any free tier.

    Calls, write units and log bytes are those of a measured run of the real producer and consumer
    (python -m benchmarks.usage), prices the published ones at the date shown. Nothing is asked of AWS.
    """
    from recommendation_cli.cost.bill import Workload, bill
    from recommendation_cli.cost.prices import Prices, PricesError
    from recommendation_cli.cost.profile import Profile

    price_list = Prices.shipped()
    if prices is not None:
        try:
            price_list = price_list.changed_by(prices)
        except PricesError as error:
            raise click.UsageError(f"{prices}: {error}.") from None
        except OSError as error:
            raise click.UsageError(f"{prices} cannot be read: {error.strerror}.") from None
    if region not in {None, price_list.region}:
        raise click.UsageError(f"The prices are of {price_list.region}: give a file of those of {region} by --prices.")
    work = Workload(incidents, agents, size, days_kept, reads, incident_metrics, compact_indexes, kms)
    profile = Profile.shipped()
    try:
        lines = bill(work, profile, price_list)
    except ValueError as error:
        raise click.UsageError(f"--size: {error}.") from None
    click.echo(_FORMS[output](lines), nl=False)
    if output == "table":
        click.echo(
            f"\n{incidents:,} incidents of {agents} recommendations of {size:,} bytes;"
            f" usage measured {profile.measured}, prices of {price_list.region}, {price_list.date}.",
            err=True,
        )


def _table(lines: "list[Line]") -> str:
    rows = [(line.service, line.what, f"{line.quantity:,.6g}", line.unit, f"{line.usd:,.4f}") for line in lines]
    rows.append(("total", "", "", "", f"{sum(line.usd for line in lines):,.4f}"))
    titles = ("service", "what", "a month", "", "USD")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    return "".join(_row(row, widths) for row in (titles, *rows))


def _row(row: tuple[str, ...], widths: list[int]) -> str:
    service, what, quantity, unit, usd = row
    cells = (service.ljust(widths[0]), what.ljust(widths[1]), quantity.rjust(widths[2]), unit.ljust(widths[3]))
    return "  ".join((*cells, usd.rjust(widths[4]))) + "\n"


def _json(lines: "list[Line]") -> str:
    import json
    from dataclasses import asdict

    found: dict[str, Any] = {"usd": sum(line.usd for line in lines), "lines": [asdict(line) for line in lines]}
    return json.dumps(found, indent=2) + "\n"


def _csv(lines: "list[Line]") -> str:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("service", "what", "quantity", "unit", "usd"))
    rows.writerows((line.service, line.what, line.quantity, line.unit, line.usd) for line in lines)
    return text.getvalue()


_FORMS: Final = {"table": _table, "json": _json, "csv": _csv}
