"""The options that commands share."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any, Final, NamedTuple, Self, TypeVar

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.completion import complete_agents
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period, parse_moment

F = TypeVar("F", bound=Callable[..., Any])

STDOUT: Final = "-"  # as a file's name
_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
EXPORTED: Final = ("jsonl", "csv", "parquet")
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


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accept a moment and return its sort key; the date of an `--until` is the end of that day."""
    if value is None:
        return None
    runtime = ctx.ensure_object(Runtime)
    try:
        return parse_moment(value, runtime.now(), runtime.localise, end_of_day=param.name == "until")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _confidence(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Decimal | None:
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan() or not 0 <= number <= 1:
        raise click.BadParameter("must be a number from 0 to 1, such as 0.8")
    return number


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

    limit: int | None = None
    since: str | None = None
    until: str | None = None
    agents: tuple[str, ...] = ()
    min_confidence: Decimal | None = None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Self:
        """Take these options out of all that a command got."""
        return cls(**{name: options.pop(name) for name in cls._fields if name in options})

    def period(self) -> Period:
        """Return the period asked for; raise a usage error when it ends before it begins."""
        if self.since is not None and self.until is not None and self.since > self.until:
            raise click.UsageError("--since must lie before --until.")
        return Period(self.since, self.until)

    def only(self) -> Filter:
        """Return which of what is read is wanted."""
        return Filter(self.agents, self.min_confidence)

    def scope(self, runtime: Runtime) -> str:
        """Return in words to what a list is narrowed, or nothing."""
        only = visible(str(self.only()))
        return "; ".join(filter(None, (only and f"only {only}", self.period().text(runtime.localise))))


class Destination(NamedTuple):
    """Where an export goes; the format is that of the file's name unless it is given."""

    path: str
    form: str | None
    overwrite: bool

    def resolved_form(self) -> str:
        """Return `jsonl`, `csv` or `parquet`; raise a usage error when the name tells none."""
        form = self.form or ("jsonl" if self.path == STDOUT else _SUFFIXES.get(PurePath(self.path).suffix.lower()))
        if form is None:
            endings = ".jsonl, .csv or .parquet"
            raise click.UsageError(
                f"The name {visible(self.path)} tells no format: end it with {endings}, or give --format."
            )
        if form == "parquet" and self.path == STDOUT:
            raise click.UsageError("Parquet is made when all is read, so not on standard output: name a file.")
        return form


def list_options(command: F) -> F:
    """Add the options of commands that list recommendations."""
    return limit_option(period_options(agents_option(confidence_option(command))))


def limit_option(command: F) -> F:
    """Add the option that ends a list."""
    return click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N only.")(command)


def agents_option(command: F) -> F:
    """Add the option that narrows a list to agents."""
    return click.option(
        "--agent",
        "agents",
        multiple=True,
        metavar="TYPE",
        shell_complete=complete_agents,
        help="Only of this agent; may be repeated.",
    )(command)


def confidence_option(command: F) -> F:
    """Add the option that leaves out what agents were less sure of."""
    return click.option(
        "--min-confidence",
        metavar="NUMBER",
        callback=_confidence,
        help="Only with at least this confidence, 0 to 1; one without a usable number is left out.",
    )(command)


def period_options(command: F) -> F:
    """Add the options that narrow what is read to a period."""
    since = click.option(
        "--since",
        metavar="TIME",
        callback=moment,
        help="Only from then on: 90m, 24h, 7d; 2026-01-31 or 12:00 or both with a T between, in your own zone; or with"
        " an offset, such as Z for UTC.",
    )
    until = click.option("--until", metavar="TIME", callback=moment, help="Only up to then; a bare date counts whole.")
    return since(until(command))


def read_options(command: F) -> F:
    """Add the options of all commands that read the table and print in every format."""
    return form_option(source_options(command))


def form_option(command: F) -> F:
    """Add `-o`."""
    return click.option("-o", "--output", type=click.Choice(FORMS), default="table", show_default=True, help="Format.")(
        command
    )


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
