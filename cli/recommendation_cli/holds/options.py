"""What `recs hold` and `recs release` are given; each group reaches a command as one value."""

from typing import Final, NamedTuple

import click

from recommendation_cli.options.declaring import options_as
from recommendation_cli.options.keys import key_argument
from recommendation_cli.options.reason import checked_reason
from recommendation_cli.options.table import TableOptions, location_options, table_option
from recommendation_shared import limits
from recommendation_shared.item.holds import REASON_BYTES


class Request(NamedTuple):
    """Which incident to hold or release and why, whether to wait until every consumer knows, and not to ask."""

    incident_id: str
    reason: str
    wait: bool
    yes: bool


def _whole_table(table: str | None, region: str | None, profile: str | None, endpoint_url: str | None) -> TableOptions:
    """Return where the table is; unlike a reader, these commands look at everything, expired or not."""
    return TableOptions(table, None, region, profile, endpoint_url, include_expired=True)


with_request: Final = options_as(
    Request,
    key_argument("incident_id", limits.ID_BYTES, metavar="INCIDENT_ID"),
    click.option(
        "--reason",
        required=True,
        metavar="TEXT",
        callback=checked_reason,
        help=f"Why, on one line of at most {REASON_BYTES:,} bytes; it is kept with the incident for good.",
    ),
    click.option(
        "--no-wait",
        "wait",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Do not wait until every consumer knows, which takes two minutes: what one stores meanwhile may be"
        " missed.",
    ),
    click.option("--yes", is_flag=True, help="Do not ask."),
)
with_table: Final = options_as(_whole_table, table_option, location_options)
