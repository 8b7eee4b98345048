"""The type of arguments that are IDs: who leaves one out learns which command lists them."""

from typing import Final

import click

_LISTED_BY: Final = {
    "incident_id": "recs incidents lists recent incidents.",
    "execution_id": "recs incident INCIDENT_ID lists an incident's executions.",
    "before": "recs incident INCIDENT_ID lists an incident's executions.",
    "rec_id": "recs incident INCIDENT_ID lists an incident's recommendations.",
}


class KeyType(click.types.StringParamType):
    """Text, with a remedy if there is none."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str | None:
        """Return which command lists such IDs, if any does."""
        del ctx
        return _LISTED_BY.get((param.name or "").removesuffix("s"))
