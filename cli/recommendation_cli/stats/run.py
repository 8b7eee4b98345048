"""Print for `recs stats`."""

import sys

import click

from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.reviews.beside import ReviewsBeside, print_note
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.stats.query import nothing_to_add_up, read_statistics, span_of
from recommendation_cli.stats.view import records, render
from recommendation_shared.wording import plural


def show_stats(runtime: Runtime, read: ReadOptions, listed: ListOptions) -> None:
    """Print what the agents did in a period, and how that differs from the period before."""
    target = read.target(runtime)
    span = span_of(listed, runtime.now())
    expired_by = None if read.include_expired else runtime.now()
    with explained(target):
        client = runtime.connect(target)
        with progress(runtime.environ, runtime.monotonic) as report:
            reviews = ReviewsBeside(client, read.reviews_target(runtime), now=expired_by)
            now, before, cost = read_statistics(
                *(client, target.table, span, listed, report), now=expired_by, reviews=reviews
            )
    if not now.everything.count:
        if read.output != "table":
            write_records(sys.stdout.buffer, (), read.output)
        raise NothingFoundError(nothing_to_add_up(target))
    if read.output == "table":
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        render(console, now, before)
        sys.stdout.flush()  # before notes appear on stderr
        click.echo(f"\n{plural(now.everything.count, 'recommendation')} in the period; {cost}.", err=True)
    else:
        write_records(sys.stdout.buffer, records(now, before, has_reviews=not reviews.is_refused), read.output)
        sys.stdout.flush()
    print_note(reviews)
