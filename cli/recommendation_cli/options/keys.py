"""Arguments and options that are keys of the table; who leaves an ID out learns which command lists them."""

import sys
from collections.abc import Callable
from typing import Final

import click

from recommendation_cli.options.declaring import Declaration

CheckKey = Callable[[click.Context, click.Parameter, str | None], str | None]
Complete = Callable[[click.Context, click.Parameter, str], list[str]]

RECOMMENDATION_ID_BYTES: Final = 2048  # DynamoDB's limit for a partition key

_STDIN: Final = "-"  # as an ID
_LISTED_BY: Final = {
    "incident_id": "recs incidents lists recent incidents.",
    "execution_id": "recs incident INCIDENT_ID lists an incident's executions.",
    "before": "recs incident INCIDENT_ID lists an incident's executions.",
    "rec_id": "recs incident INCIDENT_ID lists an incident's recommendations.",
}


class _KeyType(click.types.StringParamType):
    """Text, with a remedy if there is none."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str | None:
        """Return which command lists such IDs, if any does."""
        del ctx
        return _LISTED_BY.get((param.name or "").removesuffix("s"))


def checked_key(value: str, most: int) -> str:
    """Return a key of the table, of 1 to `most` bytes of UTF-8; raise a usage error if it is not one."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise click.BadParameter("must be UTF-8") from None
    if not 0 < size <= most:
        raise click.BadParameter(f"must be 1 to {most} bytes of UTF-8")
    return value


def key(most: int) -> CheckKey:
    """Return a callback that accepts a key of the table (1 to `most` bytes of UTF-8) or no value."""

    def check(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        return None if value is None else checked_key(value, most)

    return check


def key_argument(name: str, most: int, *, metavar: str | None = None, complete: Complete | None = None) -> Declaration:
    """Return an argument that takes one key of at most `most` bytes."""
    return click.argument(name, type=_KeyType(), metavar=metavar, callback=key(most), shell_complete=complete)


def keys_argument(name: str, most: int, complete: Complete | None = None) -> Declaration:
    """Return an argument that takes one key or several, each of at most `most` bytes; `-` reads them from stdin.

    Each is listed once, in the order given.
    """
    check = key(most)

    def read(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        given: list[str] = []
        for value in values:
            given += filter(None, map(str.strip, sys.stdin)) if value == _STDIN else [value]
        if not given:
            raise click.BadParameter("standard input has none")
        return tuple(filter(None, (check(ctx, param, value) for value in dict.fromkeys(given))))

    metavar = f"{name.removesuffix('s').upper()}..."
    return click.argument(
        name, type=_KeyType(), metavar=metavar, nargs=-1, required=True, callback=read, shell_complete=complete
    )
