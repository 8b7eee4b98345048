"""The options that commands share, and how a command receives them.

A group of options reaches a command as one frozen value, not as loose keyword arguments: `options_as` declares the
options and passes the value. The groups stack, and each one fills the next positional parameter, the lowest decorator
the first one. `click.pass_obj`, lowest of all, fills the first with the `Runtime`:

    @click.command()
    @click.argument("incident_id")
    @list_options  # -> listed
    @read_options  # -> read
    @click.pass_obj  # -> runtime
    def incident(runtime: Runtime, read: ReadOptions, listed: ListOptions, /, incident_id: str) -> None:

mypy rejects a parameter of another type, or decorators in another order. A group's members are plain click options,
so a command that needs only some of them declares its own: `options_as(ListOptions, agents_option())`.
"""

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.common_options import bom_option, color_option, context_option, with_bom
from recommendation_cli.completion import complete_agents
from recommendation_cli.key_type import KeyType
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period, parse_moment
from recommendation_shared.envelope.identity import EPOCH

CheckKey = Callable[[click.Context, click.Parameter, str | None], str | None]
Complete = Callable[[click.Context, click.Parameter, str], list[str]]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

STDOUT: Final = "-"  # as a file's name
STDIN: Final = "-"  # as an ID
OUTPUT_FORMATS: Final = ("table", "json", "jsonl", "csv")
STATUSES: Final = ("success", "partial", "timeout", "failure")
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", re.ASCII)
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


class Declaration(Protocol):
    """A decorator that declares one parameter: what `click.option` and `click.argument` return."""

    def __call__(self, command: F, /) -> F:
        """Add the parameter to a command."""


def declaring(*declarations: Declaration) -> Declaration:
    """Return a decorator that declares several parameters, in the order in which help lists them."""

    def declare(command: F, /) -> F:
        for declaration in reversed(declarations):
            command = declaration(command)
        return command

    return declare


def options_as(
    group: Callable[..., T], *declarations: Declaration
) -> Callable[[Callable[Concatenate[T, P], R]], Callable[P, R]]:
    """Return a decorator that declares parameters and passes `group(**their values)` as the next positional argument.

    `group` is a frozen dataclass whose fields have the parameters' names, or a function that returns one (which may
    import it first, to keep help fast, and may raise a usage error).
    """

    def decorate(command: Callable[Concatenate[T, P], R]) -> Callable[P, R]:
        names = _declared_names(declarations)

        @wraps(command)
        def pass_group(*args: P.args, **kwargs: P.kwargs) -> R:
            values = {name: kwargs.pop(name) for name in names}
            return command(group(**values), *args, **kwargs)

        return declaring(*declarations)(pass_group)

    return decorate


def _declared_names(declarations: tuple[Declaration, ...]) -> list[str]:
    def probe() -> None:
        """Stand in for a command, which is how click keeps what was declared."""

    parameters = click.command(declaring(*declarations)(probe)).params
    return [parameter.name for parameter in parameters if parameter.name is not None and parameter.expose_value]


def key(most: int) -> CheckKey:
    """Return a callback that accepts a key of the table (1 to `most` bytes of UTF-8) or no value."""

    def check(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise click.BadParameter("must be UTF-8") from None
        if not 0 < size <= most:
            raise click.BadParameter(f"must be 1 to {most} bytes of UTF-8")
        return value

    return check


def keys_argument(name: str, most: int, complete: Complete | None = None) -> Declaration:
    """Return an argument that takes one key or several, each of at most `most` bytes; `-` reads them from stdin.

    Each is listed once, in the order given.
    """
    check = key(most)

    def read(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        given: list[str] = []
        for value in values:
            given += filter(None, map(str.strip, sys.stdin)) if value == STDIN else [value]
        if not given:
            raise click.BadParameter("standard input has none")
        return tuple(filter(None, (check(ctx, param, value) for value in dict.fromkeys(given))))

    metavar = f"{name.removesuffix('s').upper()}..."
    return click.argument(
        name, type=KeyType(), metavar=metavar, nargs=-1, required=True, callback=read, shell_complete=complete
    )


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accept a point in time and return its sort key; a bare date given to `--until` means the end of that day."""
    if value is None:
        return None
    runtime = ctx.ensure_object(Runtime)
    runtime.localise(EPOCH)  # so that a zone that does not exist is an error for relative times too
    try:
        return parse_moment(value, runtime.now(), runtime.localise, end_of_day=param.name == "until")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _confidence(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Decimal | None:
    if value is None:
        return None
    with suppress(InvalidOperation):  # raised by Decimal for other text, and by a comparison with NaN
        number = Decimal(value)
        if 0 <= number <= 1:
            return number
    raise click.BadParameter("must be a number from 0 to 1, such as 0.8")


def _milliseconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    match = _DURATION.fullmatch(value)
    if match is None:
        raise click.BadParameter("must be a duration, such as 500ms, 30s, 2m or 1h")
    return round(float(match[1]) * _MILLISECONDS[match[2]])


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or None


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Which table to read, and whether expired items count."""

    table: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    include_expired: bool

    def target(self, runtime: Runtime) -> Target:
        """Return the table to read; raise a usage error when the environment names an impossible one."""
        table = self.table or runtime.default_table()
        return Target(table, region=self.region, profile=self.profile, endpoint_url=self.endpoint_url)


@dataclass(frozen=True, slots=True)
class ReadOptions(TableOptions):
    """Which table to read, and the format to print in: one of `OUTPUT_FORMATS`."""

    output: str


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """Whether to follow, and whether to stop at a consensus, which implies following."""

    follow: bool
    until_consensus: bool

    def __bool__(self) -> bool:
        """Return whether to follow."""
        return self.follow or self.until_consensus


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Which recommendations to list; `limit` counts them.

    `since` and `until` are sort keys, both inclusive; `min_duration` is in milliseconds.
    """

    limit: int | None = None
    since: str | None = None
    until: str | None = None
    agents: tuple[str, ...] = ()
    min_confidence: Decimal | None = None
    max_confidence: Decimal | None = None
    statuses: tuple[str, ...] = ()
    failed: bool = False
    min_duration: int | None = None

    def period(self) -> Period:
        """Return the period asked for; raise a usage error when it ends before it begins."""
        if self.since is not None and self.until is not None and self.since > self.until:
            raise click.UsageError("--since must be earlier than --until.")
        return Period(self.since, self.until)

    def matching(self) -> Filter:
        """Return what a recommendation must be to be listed; raise a usage error when nothing can be."""
        least, most = self.min_confidence, self.max_confidence
        if least is not None and most is not None and least > most:
            raise click.UsageError("--min-confidence must not be above --max-confidence.")
        statuses = tuple(status.upper() for status in self.statuses)
        return Filter(self.agents, least, most, statuses, self.failed, self.min_duration)

    def scope(self, runtime: Runtime) -> str:
        """Describe in words how the list is narrowed; an empty string when it is not."""
        selection = visible(str(self.matching()))
        return "; ".join(filter(None, (selection and f"only {selection}", self.period().text(runtime.localise))))


table_option: Final[Declaration] = click.option(
    "--table", metavar="NAME", help="Table [default: $RECOMMENDATIONS_TABLE, else opx-agent-recommendations]."
)
output_option: Final[Declaration] = declaring(
    click.option(
        "-o",
        "--output",
        type=click.Choice(OUTPUT_FORMATS),
        default="table",
        show_default=True,
        callback=with_bom,
        help="Output format.",
    ),
    bom_option,
    color_option,
)
location_options: Final[Declaration] = declaring(
    # Not click's `envvar`, which would win over an option given before the command, and over a context.
    click.option("--region", metavar="NAME", default=_region, help="AWS region [default: $AWS_REGION]."),
    click.option("--profile", metavar="NAME", help="Profile from the AWS configuration."),
    click.option("--endpoint-url", metavar="URL", help="Another AWS endpoint, such as a local stack's."),
    context_option,
)
table_declarations: Final = declaring(
    click.option("--include-expired", is_flag=True, help="Include expired items that DynamoDB has not deleted yet."),
    table_option,
    location_options,
)
limit_option: Final[Declaration] = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Show only the newest N."
)
period_options: Final = declaring(
    click.option(
        "--since",
        metavar="TIME",
        callback=moment,
        help="At or after TIME (local time unless it has an offset), such as 90m, 7d, 12:00, 2026-01-31,"
        " 2026-01-31T12:00 or 2026-01-31T12:00Z.",
    ),
    click.option(
        "--until", metavar="TIME", callback=moment, help="At or before TIME; a date alone includes the whole day."
    ),
)
filter_options: Final = declaring(
    click.option(
        "--min-confidence",
        metavar="NUMBER",
        callback=_confidence,
        help="Confidence of at least NUMBER, 0 to 1; leaves out items without a usable confidence.",
    ),
    click.option("--max-confidence", metavar="NUMBER", callback=_confidence, help="Confidence of at most NUMBER."),
    click.option(
        "--status",
        "statuses",
        type=click.Choice(STATUSES, case_sensitive=False),
        multiple=True,
        help="Only this status; may be repeated. An item without a status, such as a consensus, counts as a success.",
    ),
    click.option("--failed", is_flag=True, help="Only what did not succeed: any status but success."),
    click.option(
        "--min-duration",
        metavar="TIME",
        callback=_milliseconds,
        help="Only agents that took at least TIME, such as 500ms, 30s or 2m.",
    ),
)


until_consensus_option: Final[Declaration] = click.option(
    "--until-consensus", is_flag=True, help="Stop following when a consensus is there, and exit with 0."
)
follow_options: Final = options_as(
    FollowOptions,
    click.option(
        "--follow",
        is_flag=True,
        help="Show new recommendations below the list as they are stored, until Ctrl-C (one incident; oldest first).",
    ),
    until_consensus_option,
)


def since_by_default(runtime: Runtime, listed: ListOptions, ago: str) -> ListOptions:
    """Return the options with a period that starts `ago`, such as `7d`, if none was given."""
    if listed.since is not None or listed.until is not None:
        return listed
    return replace(listed, since=parse_moment(ago, runtime.now(), runtime.localise, end_of_day=False))


def agents_option(default: str = "") -> Declaration:
    """Return the option that narrows a list to agents; help shows `default` as what happens without it."""
    return click.option(
        "--agent",
        "agents",
        multiple=True,
        metavar="TYPE",
        shell_complete=complete_agents,
        help=f"Only this agent; may be repeated{default and f' [default: {default}]'}.",
    )


read_declarations: Final = declaring(output_option, table_declarations)
table_options: Final = options_as(TableOptions, table_declarations)
read_options: Final = options_as(ReadOptions, read_declarations)
list_options: Final = options_as(ListOptions, limit_option, period_options, agents_option(), filter_options)
