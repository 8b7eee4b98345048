"""The options that say which recommendations to list, and whether to follow them."""

import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

import click

from recommendation_cli.completion import complete_agents
from recommendation_cli.options.declaring import Declaration, declaring, options_as
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period, parse_moment
from recommendation_shared.envelope.identity import EPOCH

_STATUSES: Final = ("success", "partial", "timeout", "failure")
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", re.ASCII)
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}

_ENDS: Final = frozenset({"until", "reviews_until"})


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accept a point in time and return its sort key; a bare date given as an end means the end of that day."""
    if value is None:
        return None
    runtime = ctx.ensure_object(Runtime)
    runtime.localise(EPOCH)  # so that a zone that does not exist is an error for relative times too
    try:
        return parse_moment(value, runtime.now(), runtime.localise, end_of_day=param.name in _ENDS)
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


class FollowOptions(NamedTuple):
    """Whether to follow, and whether to stop at a consensus, which implies following."""

    follow: bool
    until_consensus: bool

    def __bool__(self) -> bool:
        """Return whether to follow."""
        return self.follow or self.until_consensus


class ListOptions(NamedTuple):
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
        type=click.Choice(_STATUSES, case_sensitive=False),
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
    return listed._replace(since=parse_moment(ago, runtime.now(), runtime.localise, end_of_day=False))


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


list_options: Final = options_as(ListOptions, limit_option, period_options, agents_option(), filter_options)
