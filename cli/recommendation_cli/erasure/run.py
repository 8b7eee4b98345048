"""`recs erase`: show what would go, have it confirmed, mark the incident, and delete until nothing is left."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

import click

from recommendation_cli.aws.caller import caller_arn
from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.session import QueueSession
from recommendation_cli.dead_letters.source import depth_if_allowed, open_dead_letters
from recommendation_cli.erasure.archive import Archive
from recommendation_cli.erasure.archive_files import Bucket
from recommendation_cli.erasure.errors import ROLE, explained_table
from recommendation_cli.erasure.items import Recommendations
from recommendation_cli.erasure.letters import DeadLetters
from recommendation_cli.erasure.places import Found, Place
from recommendation_cli.erasure.reach import beyond_reach
from recommendation_cli.erasure.reviews import Reviews
from recommendation_cli.erasure.sweeping import Sweeping
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.erasure.view import in_words, print_beyond, print_found
from recommendation_cli.marks.errors import LeftError
from recommendation_cli.marks.settling import seconds_to_settle, wait_until_settled
from recommendation_cli.marks.text import hold_text
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.typed import require_typed
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.not_found import nothing_found
from recommendation_cli.search.queries import Search
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.item.marks import Entry, Mark, State, mark_key
from recommendation_shared.wording import plural


@dataclass(frozen=True, slots=True)
class Request:
    """What to erase and why, and how. `confirm` is the incident's ID again; `hold` is in seconds."""

    incident_id: str
    reason: str
    confirm: str | None = None
    dry_run: bool = False
    wait: bool = True
    hold: int | None = None


@dataclass(frozen=True, slots=True)
class Stores:
    """Where an incident's content may be: the two tables, the dead-letter queue and, if it is known, the archive."""

    table: Target
    reviews: Target
    queues: QueueOptions
    bucket: Bucket | None


def erase_incident(runtime: Runtime, request: Request, stores: Stores) -> None:
    """Print what would go and what cannot be reached; unless it is a dry run, delete it once that is confirmed."""
    session = open_dead_letters(runtime, stores.queues._replace(role=ROLE))
    with explained_table(stores.table):
        client: WritableDynamoDb = runtime.create_client("dynamodb", stores.table)
    tombstone = Tombstone(client, stores.table, request.incident_id)
    _refuse_if_held(request, tombstone.mark)
    places = _places(runtime, request, stores, client, session)
    with progress(runtime.environ, runtime.monotonic) as report:
        found = {place.name: place.find(report) for place in places}
    is_anything_there = any(what.total or what.unclear for what in found.values())
    if not is_anything_there and tombstone.mark is None:
        with explained_table(stores.table):
            raise nothing_found(client, stores.table, Search("incidentId", request.incident_id), 0, Counter())
    console = open_terminal(runtime.environ)
    print_found(console, request.incident_id, tombstone.mark, found)
    if not is_anything_there and tombstone.mark is not None and tombstone.mark.state is State.ERASED:
        click.echo("Nothing is left to erase.")
        return
    print_beyond(console, _beyond_reach(runtime, stores, session, found.values()))
    sys.stdout.flush()
    if request.dry_run:
        click.echo("\nThis was a dry run: nothing was deleted.", err=True)
        return
    require_typed(
        request.incident_id, request.confirm, what="the incident's ID", warning="\nThis permanently deletes all of it."
    )
    by = caller_arn(runtime.create_client, stores.table)
    _erase(runtime, request, Sweeping(runtime, places, tombstone), by)


def _refuse_if_held(request: Request, mark: Mark | None) -> None:
    if mark is not None and mark.is_held and mark.hold is not None:
        raise click.UsageError(
            f"Nothing was deleted: incident {visible(request.incident_id)} is {hold_text(mark.hold)}. If it need not"
            " stay any more, recs release ends the hold."
        )


def _places(
    runtime: Runtime, request: Request, stores: Stores, client: WritableDynamoDb, session: QueueSession
) -> list[Place]:
    """Return the places in the order of sweeps: what may put something into another comes before that."""
    incident_id = request.incident_id
    places: list[Place] = [
        Recommendations(client, stores.table, incident_id),
        DeadLetters(session, incident_id, request.hold),
        Reviews(client, stores.reviews, incident_id),
    ]
    if stores.bucket is not None:
        with explained_table(stores.table):
            s3 = runtime.create_client("s3", stores.bucket)
        places.append(Archive(s3, stores.bucket, incident_id))
    return places


def _beyond_reach(runtime: Runtime, stores: Stores, session: QueueSession, found: Iterable[Found]) -> Iterator[str]:
    main = stores.queues.known_queue(runtime)
    depth = None if main is None else depth_if_allowed(session, main)
    return beyond_reach(
        now=runtime.now(),
        days=frozenset[str]().union(*(what.days for what in found)),
        queue=None if main is None or depth is None else (visible(main.name), depth),
        has_archive=stores.bucket is not None,
    )


def _erase(runtime: Runtime, request: Request, sweeping: Sweeping, by: str) -> None:
    """Mark the incident, delete, and say what was deleted; raise `LeftError` if something is left."""
    tombstone = sweeping.tombstone
    begun = tombstone.begin(_entry(State.ERASING, runtime, request, by))
    written = runtime.monotonic() if begun else None
    left: Sequence[str] | None = None
    try:
        left = _sweep(runtime, sweeping, written, wait=request.wait)
    finally:
        if left is None:  # what it had deleted is counted in the mark
            click.echo("This run did not finish. The same command goes on.", err=True)
    click.echo(f"Erased {in_words(sweeping.erased)}.")
    for sentence in (sentence for place in sweeping.places for sentence in place.unreachable()):
        click.echo(f"Not reached: {sentence}")
    if left:
        raise LeftError("Something of the incident is left:" + "".join(f"\n  - {sentence}" for sentence in left))
    tombstone.finish(_entry(State.ERASED, runtime, request, by))
    click.echo(f"Nothing is left within reach. {mark_key(request.incident_id)} stays, so that nothing is stored again.")


def _sweep(runtime: Runtime, sweeping: Sweeping, written: float | None, *, wait: bool) -> Sequence[str]:
    """Delete, also what consumers that did not know yet have stored meanwhile; return what is left."""
    begun_at = sweeping.tombstone.begun_at
    if seconds_to_settle(runtime, begun_at, written):
        left = sweeping.once().left
        if not wait:
            seconds = ceil(seconds_to_settle(runtime, begun_at, written))
            return [*left, f"what consumers may still store: run this again in {plural(seconds, 'second')}."]
        wait_until_settled(runtime, begun_at, written)
    return sweeping.until_nothing_is_found()


def _entry(action: State, runtime: Runtime, request: Request, by: str) -> Entry:
    return Entry(action, by, sort_key(EPOCH + timedelta(seconds=runtime.now())), request.reason)
