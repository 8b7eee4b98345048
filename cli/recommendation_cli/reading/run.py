"""Fetch and print for `recs incident`, `agent`, `execution` and `show`, and say what was left out."""

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import click
from rich.text import Text

from recommendation_cli.aws.errors import DigestMismatchError, NothingFoundError, explained
from recommendation_cli.marks.view import print_notice
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import pretty_json, write_documents
from recommendation_cli.reading.document_view import render_document
from recommendation_cli.reading.list_view import LAYOUTS, ListView
from recommendation_cli.reading.query import Verified, read_recommendation
from recommendation_cli.reviews.beside import Reviewed, ReviewsBeside, print_note
from recommendation_cli.reviews.review import INCIDENT
from recommendation_cli.reviews.view import print_conclusion
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.marks import UnreadableMark, find_mark
from recommendation_cli.search.not_found import nothing_found
from recommendation_cli.search.projection import LISTED
from recommendation_cli.search.queries import Document, Listing, Search
from recommendation_cli.summary import summarise
from recommendation_shared.item.marks import Mark
from recommendation_shared.wording import plural

MarkOf = Callable[[str], Mark | UnreadableMark | None]
"""Returns an incident's mark."""


def list_recommendations(
    runtime: Runtime, key: str, values: Sequence[str], read: ReadOptions, listed: ListOptions
) -> None:
    """Print the recommendations whose `key` is one of the values, newest first; of one value after another."""
    target = read.target(runtime)
    now = None if read.include_expired else runtime.now()
    as_table = read.output == "table"
    searches = [
        Search(
            *(key, value, listed.period(), listed.limit),
            matching=listed.matching(),
            whole=not as_table,
            attributes=LISTED if as_table else (),
        )
        for value in values
    ]
    with explained(target):
        client = runtime.connect(target)
        listings = [Listing(client, target.table, search, now=now) for search in searches]
        reviews = ReviewsBeside(client, read.reviews_target(runtime), now=now)
        if as_table:
            newest = _print_lists(runtime, listings, listed, reviews, partial(find_mark, client, target.table))
        else:
            write_documents(sys.stdout.buffer, _as_read(listings, reviews), read.output)
        sys.stdout.flush()  # before notes appear on stderr
        absent = [
            nothing_found(client, target, search, listing.expired, listing.others).message
            for search, listing in zip(searches, listings, strict=True)
            if listing.shown == 0
        ]
    if as_table and len(absent) < len(values):
        _print_count(listings, newest)
    print_note(reviews)
    if absent:
        raise NothingFoundError("\n".join(absent))


def _as_read(listings: Iterable[Listing], reviews: ReviewsBeside) -> Iterator[Document]:
    """Yield documents, and flush what was written of a page before the next one is read."""
    for listing in listings:
        for batch in listing.batches():
            yield from map(reviews.of_documents(batch).beside, batch)
            sys.stdout.flush()


def _print_lists(
    runtime: Runtime, listings: Sequence[Listing], listed: ListOptions, reviews: ReviewsBeside, mark_of: MarkOf
) -> str:
    """Print lists page by page; return the ID of the first recommendation printed, or an empty string."""
    console = open_terminal(runtime.environ)
    newest = ""
    for listing in listings:
        view = ListView(console, LAYOUTS[listing.search.key])
        for batch in listing.batches():
            summaries = [summarise(document) for document in batch]
            reviewed = reviews.of_documents(batch)
            with console:  # which writes a page at once, not line by line
                if summaries and not newest:
                    newest = summaries[0].recommendation_id
                    print_scope(console, listed.scope(runtime))
                if summaries and listing.shown == len(summaries) and len(listings) > 1:
                    console.print(Text(f"\n{visible(listing.search.value)}", style="bold underline"), soft_wrap=True)
                if summaries and listing.shown == len(summaries) and listing.search.key == INCIDENT:
                    print_notice(console, mark_of(listing.search.value))
                    print_conclusion(console, reviewed.of(listing.search.value))
                reviews_by_id = {
                    summary.recommendation_id: history[-1]
                    for summary, document in zip(summaries, batch, strict=True)
                    if (history := reviewed.of_document(document))
                }
                view.print(summaries, reviews_by_id)
    return newest


def _print_count(listings: Sequence[Listing], newest: str) -> None:
    counted = plural(sum(listing.shown for listing in listings), "recommendation")
    cut_off = any(listing.cut_off for listing in listings)
    parts = [f"{counted}, and there are older ones" if cut_off else counted]
    others = sum(listing.others.total() for listing in listings)
    if others:
        parts.append(f"{plural(others, 'other')} left out")
    expired = sum(listing.expired for listing in listings)
    if expired:
        parts.append(f"{expired:,} expired hidden (--include-expired shows them)")
    click.echo(f"\n{', '.join(parts)}. To see one in full:\n  recs show {shlex.quote(newest)}", err=True)


def show_recommendations(runtime: Runtime, recommendation_ids: Sequence[str], read: ReadOptions) -> None:
    """Print recommendations in full, one after another, and verify their digests."""
    target = read.target(runtime)
    documents: list[Document] = []
    problems: list[click.ClickException] = []
    with explained(target):
        client = runtime.connect(target)
        now = None if read.include_expired else runtime.now()
        reviews = ReviewsBeside(client, read.reviews_target(runtime), now=now)
        for recommendation_id in recommendation_ids:
            try:
                verified = read_recommendation(client, target, recommendation_id, now=now)
            except NothingFoundError as problem:
                problems.append(problem)
                continue
            reviewed = reviews.of_documents([verified.document])
            documents.append(reviewed.beside(verified.document))
            if not verified.intact:
                problems.append(DigestMismatchError(verified.mismatch()))
            if read.output == "table":
                _print_in_full(runtime, verified, reviewed, is_first=len(documents) == 1)
    if read.output == "json" and len(recommendation_ids) == 1:
        sys.stdout.buffer.writelines(f"{pretty_json(document)}\n".encode() for document in documents)
    elif read.output != "table":
        write_documents(sys.stdout.buffer, documents, read.output)
    sys.stdout.flush()
    print_note(reviews)
    if problems:
        worst = max(problems, key=lambda problem: problem.exit_code)
        raise type(worst)("\n".join(problem.message for problem in problems))


def _print_in_full(runtime: Runtime, verified: Verified, reviewed: Reviewed, *, is_first: bool) -> None:
    console = open_terminal(runtime.environ)
    if not is_first:
        console.print()
    digest = f"verified, SHA-256 {verified.computed}" if verified.intact else "DOES NOT MATCH the content"
    history = reviewed.of_document(verified.document)
    render_document(console, verified.document, digest=digest, intact=verified.intact, reviews=history)
