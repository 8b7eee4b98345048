"""Compute a bill for `recs cost` and print it."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from recommendation_cli.cost.bill import Line, bill
from recommendation_cli.cost.prices import Prices, PricesError
from recommendation_cli.cost.profile import Profile
from recommendation_cli.cost.workload import Workload
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.table import Column, print_table
from recommendation_cli.screen.terminal import open_terminal
from recommendation_shared.wording import plural

_TWO_AMOUNTS: Final = 70  # columns; a narrower terminal has no room for both amounts beside what they are for


def show_bill(runtime: Runtime, work: Workload, region: str | None, price_file: Path | None, output: str) -> None:
    """Print a month's bill; raise a usage error for prices or sizes that cannot be used."""
    prices = _read_prices(region, price_file)
    profile = Profile.shipped()
    try:
        lines = bill(work, profile, prices)
    except ValueError as error:
        raise click.UsageError(f"--size: {error}.") from None
    if output == "json":
        document = {**_totals(lines), "lines": [_record(line) for line in lines]}
        sys.stdout.buffer.write(f"{pretty_json(document)}\n".encode())
    elif output != "table":
        write_records(sys.stdout.buffer, [_record(line) for line in lines], output)
    else:
        render_bill(open_terminal(runtime.environ), lines)
        sys.stdout.flush()  # before the note appears on stderr
        click.echo(
            f"\n{plural(work.incidents, 'incident')} of {plural(work.agents, 'recommendation')} of {work.size:,} bytes;"
            f" usage measured on {profile.measured}, prices for {prices.region} on {prices.date}.",
            err=True,
        )


def render_bill(console: Console, lines: Sequence[Line]) -> None:
    """Print the lines of a bill and their total."""
    columns = (
        Column("service", least=8),
        Column("what", least=12),
        Column("a month", right=True),
        Column("", least=4),
        Column("USD", right=True, keep=True),
        Column("past free tier", right=True, keep=True),
    )
    rows = [
        (
            line.service,
            line.what,
            f"{line.quantity:,.6g}",
            _unit(line),
            f"{line.usd:,.4f}",
            f"{line.usd_beyond_free_tier:,.4f}",
        )
        for line in lines
    ]
    list_price, beyond = (f"{total:,.4f}" for total in _totals(lines).values())
    rows.append(("total", "", "", "", list_price, beyond))
    print_table(console, columns, rows, fold=console.width < _TWO_AMOUNTS)


def _totals(lines: Sequence[Line]) -> dict[str, float]:
    return {name: sum(getattr(line, name) for line in lines) for name in ("usd", "usd_beyond_free_tier")}


def _record(line: Line) -> dict[str, Any]:
    record = asdict(line)
    del record["allowance"]
    return record


def _unit(line: Line) -> str:
    return line.unit.removesuffix("s") if line.quantity == 1 else line.unit


def _read_prices(region: str | None, price_file: Path | None) -> Prices:
    prices = Prices.shipped()
    if price_file is not None:
        try:
            prices = prices.changed_by(price_file)
        except PricesError as error:
            raise click.UsageError(f"{price_file}: {error}.") from None
        except OSError as error:
            raise click.UsageError(f"{price_file} cannot be read: {error.strerror}.") from None
    if region not in {None, prices.region}:
        raise click.UsageError(f"The prices are for {prices.region}: pass a file with those for {region} as --prices.")
    return prices
