"""The options that commands share."""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple, Self, TypeVar

import click

from cli.connection import Target
from cli.period import Period, parse_moment
from cli.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])

STDOUT: Final = "-"  # as a file's name
_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
FORMS: Final = ("table", "json", "jsonl", "csv")


def key(most: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a callback that accepts a key of the table: text of 1 to `most` bytes of UTF-8, or none at all."""

    def check(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise click.BadParameter("must be UTF-8") from None
        if not 0 < size <= most:
            raise click.BadParameter(f"must have 1 to {most} bytes")
        return value

    return check


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return parse_moment(value, ctx.ensure_object(Runtime).now(), end_of_day=param.name == "until")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


class ReadOptions(NamedTuple):
    """What every reading command takes."""

    table: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    output: str
    include_expired: bool

    def target(self, runtime: Runtime) -> Target:
        """Return which table to read."""
        table = self.table or runtime.default_table()
        return Target(table, region=self.region, profile=self.profile, endpoint_url=self.endpoint_url)


class ListOptions(NamedTuple):
    """What commands take that list recommendations."""

    limit: int | None
    since: str | None
    until: str | None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Self:
        """Take these options out of all that a command got."""
        return cls(**{name: options.pop(name) for name in cls._fields})

    def period(self) -> Period:
        """Return the period asked for; raise a usage error when it ends before it begins."""
        if self.since is not None and self.until is not None and self.since > self.until:
            raise click.UsageError("--since must lie before --until.")
        return Period(self.since, self.until)


class Destination(NamedTuple):
    """Where an export goes; the format is that of the file's name unless it is given."""

    path: str
    form: str | None
    overwrite: bool

    def resolved_form(self) -> str:
        """Return `jsonl` or `csv`; raise a usage error when the name tells neither."""
        suffix = PurePath(self.path).suffix.lower()
        form = self.form or ("jsonl" if self.path == STDOUT else _SUFFIXES.get(suffix))
        if form is not None:
            return form
        if suffix == ".parquet":
            raise click.UsageError(
                "recs writes no Parquet; export .jsonl and convert it, such as with DuckDB:"
                " duckdb -c \"COPY (FROM 'x.jsonl') TO 'x.parquet'\""
            )
        raise click.UsageError(f"The name {self.path} tells no format: end it with .jsonl or .csv, or give --format.")


def list_options(command: F) -> F:
    """Add the options of commands that list recommendations."""
    limit = click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N only.")
    return limit(period_options(command))


def period_options(command: F) -> F:
    """Add the options that narrow what is read to a period."""
    since = click.option("--since", metavar="TIME", callback=_moment, help="Only from then on: 24h, 7d or a UTC time.")
    until = click.option("--until", metavar="TIME", callback=_moment, help="Only up to then; a bare date counts whole.")
    return since(until(command))


def read_options(command: F) -> F:
    """Add the options of all commands that read the table and print in every format."""
    return form_options(FORMS)(source_options(command))


def form_options(forms: Sequence[str]) -> Callable[[F], F]:
    """Return a decorator that adds `-o` with these formats."""
    return click.option("-o", "--output", type=click.Choice(forms), default="table", show_default=True, help="Format.")


def source_options(command: F) -> F:
    """Add the options that say what is read, and where."""
    for option in reversed(
        (
            click.option("--include-expired", is_flag=True, help="Also what DynamoDB is about to delete."),
            click.option(
                "--table",
                metavar="NAME",
                help="Table [default: $RECOMMENDATIONS_TABLE, else opx-agent-recommendations].",
            ),
            click.option("--region", metavar="NAME", envvar="AWS_REGION", show_envvar=True, help="AWS region."),
            click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
            click.option("--endpoint-url", metavar="URL", help="DynamoDB elsewhere, such as a local stack's."),
        )
    ):
        command = option(command)
    return command
