"""The filters of a list, which a page's address holds: parsed as the options of the commands are."""

from typing import Final

import click
from starlette.datastructures import QueryParams

from recommendation_cli.options.listing import ListOptions, list_options
from recommendation_cli.runtime import Runtime

_VALUES: Final = ("since", "until", "agent", "min-confidence", "max-confidence", "status", "min-duration", "limit")
_FLAGS: Final = ("failed",)
FIELDS: Final = (*_VALUES, *_FLAGS)


@click.command()
@list_options
@click.pass_obj
def _listing(_runtime: Runtime, listed: ListOptions, /) -> ListOptions:
    return listed


def list_options_of(runtime: Runtime, query: QueryParams) -> ListOptions:
    """Return the options that an address holds; raise click's usage error as a command would."""
    arguments = [f"--{name}={text.strip()}" for name in _VALUES for text in query.getlist(name) if text.strip()] + [
        f"--{name}" for name in _FLAGS if query.get(name)
    ]
    with _listing.make_context("recs ui", arguments, obj=runtime) as context:
        listed: ListOptions = _listing.invoke(context)
    return listed


def fields_of(query: QueryParams) -> dict[str, str]:
    """Return what the form's fields hold, for showing the form again."""
    return {name.replace("-", "_"): query.get(name, "") for name in FIELDS}
