"""The commands on holds. Their code is imported when they run, so that help is instant."""

from typing import Final

import click

from recommendation_cli.holds.options import Request, with_request, with_table
from recommendation_cli.options.table import ReadOptions, TableOptions, read_options
from recommendation_cli.runtime import Runtime

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
@with_request
@with_table
@click.pass_obj
def hold(runtime: Runtime, table: TableOptions, request: Request, /) -> None:
    """Keep an incident's recommendations beyond their ttl.

    Each one loses its ttl and gets the attribute `hold`, which says who holds it, since when and why. What agents say
    later about the incident is held too, and what is redelivered or redriven stays held. Content and digests do not
    change. It needs an identity such as RecommendationCuratorRole, and takes about two minutes. Interrupted, it goes on
    when it is run again.
    """
    from recommendation_cli.holds.run import hold_incident

    hold_incident(runtime, table.target(runtime), request)


@click.command(
    epilog=f"""\b
Examples:
  recs release incident-7 --reason "Litigation 2026-17 was settled"

{_EXIT_CODES}"""
)
@with_request
@with_table
@click.pass_obj
def release(runtime: Runtime, table: TableOptions, request: Request, /) -> None:
    """End a hold: recommendations expire again.

    DynamoDB deletes those whose time has already passed, within a few days; the command says how many, and asks.
    Interrupted, it goes on when it is run again.
    """
    from recommendation_cli.holds.run import release_incident

    release_incident(runtime, table.target(runtime), request)


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
