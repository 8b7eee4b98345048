"""The commands on holds. Their code is imported when they run, so that help is instant."""

from typing import Final, NamedTuple

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.options.declaring import Declaration, options_as
from recommendation_cli.options.keys import key_argument
from recommendation_cli.options.table import ReadOptions, location_options, read_options, table_option
from recommendation_cli.runtime import Runtime
from recommendation_shared import limits
from recommendation_shared.item import holds as rules


class _Place(NamedTuple):
    """Where the table is; unlike a reader, these commands look at everything, expired or not."""

    table: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None

    def target(self, runtime: Runtime) -> Target:
        return Target(self.table or runtime.default_table(), self.region, self.profile, self.endpoint_url)


def _reason(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return rules.reason(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


reason_option: Final[Declaration] = click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    callback=_reason,
    help=f"Why, on one line of at most {rules.REASON_BYTES:,} bytes; it is kept with the incident for good.",
)
wait_option: Final[Declaration] = click.option(
    "--no-wait",
    "wait",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not wait until every consumer knows, which takes two minutes: what one stores meanwhile may be missed.",
)
_yes_option: Final[Declaration] = click.option("--yes", is_flag=True, help="Do not ask.")
_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  2    usage error, or the incident's state does not allow it
  4    something is left; run the same command again, which goes on
For the others see recs --help."""


@click.command(
    epilog=f"""\b
Examples:
  recs hold incident-7 --reason "Litigation 2026-17, until legal says otherwise"
  recs holds

{_EXIT_CODES}"""
)
@key_argument("incident_id", limits.ID_BYTES, metavar="INCIDENT_ID")
@reason_option
@wait_option
@_yes_option
@options_as(_Place, table_option, location_options)
@click.pass_obj
def hold(  # noqa: PLR0913 - one for each option
    runtime: Runtime, place: _Place, /, *, incident_id: str, reason: str, wait: bool, yes: bool
) -> None:
    """Keep an incident's recommendations beyond their ttl.

    Each one loses its ttl and gets the attribute `hold`, which says who holds it, since when and why. What agents say
    later about the incident is held too, and what is redelivered or redriven stays held. Content and digests do not
    change. It needs an identity such as RecommendationCuratorRole, and takes about two minutes. Interrupted, it goes on
    when it is run again.
    """
    from recommendation_cli.holds.run import hold_incident

    hold_incident(runtime, place.target(runtime), incident_id, reason, wait=wait, yes=yes)


@click.command(
    epilog=f"""\b
Examples:
  recs release incident-7 --reason "Litigation 2026-17 was settled"

{_EXIT_CODES}"""
)
@key_argument("incident_id", limits.ID_BYTES, metavar="INCIDENT_ID")
@reason_option
@wait_option
@_yes_option
@options_as(_Place, table_option, location_options)
@click.pass_obj
def release(  # noqa: PLR0913 - one for each option
    runtime: Runtime, place: _Place, /, *, incident_id: str, reason: str, wait: bool, yes: bool
) -> None:
    """End a hold: recommendations expire again.

    DynamoDB deletes those whose time has already passed, within a few days; the command says how many, and asks.
    Interrupted, it goes on when it is run again.
    """
    from recommendation_cli.holds.run import release_incident

    release_incident(runtime, place.target(runtime), incident_id, reason, wait=wait, yes=yes)


@click.command(
    epilog="""\b
Examples:
  recs holds
  recs holds --all -o json | jq '.[] | select(.state == "erased")'"""
)
@click.option("--all", "every", is_flag=True, help="Also list incidents that were released or erased.")
@read_options
@click.pass_obj
def holds(runtime: Runtime, read: ReadOptions, /, *, every: bool) -> None:
    """List the incidents that are held: since when, by whom and why.

    An erased incident has no ID in clear any more, only its SHA-256.
    """
    from recommendation_cli.holds.listing import list_holds

    list_holds(runtime, read, every=every)
