"""Fetch and print for `recs incident`, `agent`, `execution` and `show`, and say what was left out."""

import shlex
import sys

import click

from recommendation_cli.aws.errors import DigestMismatchError, NothingFoundError, explained
from recommendation_cli.options import ListOptions, ReadOptions
from recommendation_cli.output import pretty_json, write_documents
from recommendation_cli.reading.document_view import render_document
from recommendation_cli.reading.list_view import LAYOUTS, render_list
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.not_found import no_such_recommendation, nothing_found
from recommendation_cli.search.queries import Listing, Search, get_item, is_expired
from recommendation_cli.summary import summarise
from recommendation_shared.item.encoding import decode_item, item_digest
from recommendation_shared.wording import plural


def list_recommendations(runtime: Runtime, key: str, value: str, read: ReadOptions, listed: ListOptions) -> None:
    """Print the recommendations whose `key` is `value`, newest first."""
    target = read.target(runtime)
    search = Search(
        key, value, period=listed.period(), limit=listed.limit, matching=listed.matching(), whole=read.output != "table"
    )
    now = None if read.include_expired else runtime.now()
    with explained(target):
        client = runtime.connect(target)
        listing = Listing(client, target.table, search, now=now)
        if read.output == "table":
            summaries = [summarise(document) for document in listing]
            if summaries:
                console = open_terminal(runtime.environ)
                print_scope(console, listed.scope(runtime))
                render_list(console, summaries, LAYOUTS[key])
        else:
            write_documents(sys.stdout.buffer, listing, read.output)
        sys.stdout.flush()  # before notes appear on stderr
        if listing.shown == 0:
            raise nothing_found(client, target, search, listing.expired, listing.others)
    if read.output == "table":
        _print_note(listing, newest=summaries[0].recommendation_id)


def _print_note(listing: Listing, newest: str) -> None:
    counted = plural(listing.shown, "recommendation")
    parts = [f"{counted}, and there are older ones" if listing.cut_off else counted]
    if listing.others:
        parts.append(f"{plural(listing.others.total(), 'other')} left out")
    if listing.expired:
        parts.append(f"{listing.expired:,} expired hidden (--include-expired shows them)")
    click.echo(f"\n{', '.join(parts)}. To see one in full:\n  recs show {shlex.quote(newest)}", err=True)


def show_recommendation(runtime: Runtime, recommendation_id: str, read: ReadOptions) -> None:
    """Print one recommendation in full and verify its digest."""
    target = read.target(runtime)
    with explained(target):
        client = runtime.connect(target)
        item = get_item(client, target.table, recommendation_id)
        if item is None:
            raise no_such_recommendation(client, target, recommendation_id)
    if not read.include_expired and is_expired(item, runtime.now()):
        raise NothingFoundError(
            f"Recommendation {visible(recommendation_id)} has expired: --include-expired shows it until DynamoDB"
            " deletes it."
        )
    stored, computed = item.get("contentDigest", {}).get("S"), item_digest(item)
    intact = stored == computed
    verdict = f"verified, SHA-256 {computed}" if intact else "DOES NOT MATCH the content"
    document = decode_item(item)
    if read.output == "table":
        render_document(open_terminal(runtime.environ), document, digest=verdict, intact=intact)
    elif read.output == "json":
        sys.stdout.buffer.write(f"{pretty_json(document)}\n".encode())
    else:
        write_documents(sys.stdout.buffer, [document], read.output)
    if not intact:
        claim = "it has no contentDigest" if stored is None else f"its contentDigest is {visible(stored)}"
        raise DigestMismatchError(
            f"This is not what the consumer wrote: {claim}, but its content has the digest {computed}. Compare it with"
            " a backup of the table (point-in-time recovery)."
        )
