"""Follow an incident, or everything, until Ctrl-C or a consensus."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import click

from recommendation_cli.aws.errors import explained
from recommendation_cli.follow.followed import INTERVAL, every_agent, one_incident, passing_failure
from recommendation_cli.follow.follower import Followed, Follower
from recommendation_cli.follow.view import Lines, View, screen
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.read_cost import read_price
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age
from recommendation_cli.search.not_found import nothing_found
from recommendation_cli.search.projection import LISTED
from recommendation_cli.search.queries import Document, Search
from recommendation_cli.search.suggestions import exists
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural


def follow_incident(
    runtime: Runtime, incident_id: str, read: ReadOptions, listed: ListOptions, *, until_consensus: bool
) -> None:
    """Print an incident's recommendations, oldest first, and then new ones as they are stored."""
    following = _Following(runtime, read, listed, f"incident {visible(incident_id)}")
    following.run(one_incident(incident_id), since=None, until_consensus=until_consensus)


def follow_everything(runtime: Runtime, read: ReadOptions, listed: ListOptions, *, until_consensus: bool) -> None:
    """Print new recommendations of every agent as they are stored, after those since `--since`."""
    following = _Following(runtime, read, listed, "all incidents")
    followed = every_agent(following.client, following.target.table)
    following.run(followed, since=listed.since, until_consensus=until_consensus)


class _Following:
    """One run of following; `what` is followed, in words."""

    def __init__(self, runtime: Runtime, read: ReadOptions, listed: ListOptions, what: str) -> None:
        if read.output == "json":
            raise click.UsageError("An array would never end: follow with -o jsonl, csv or table.")
        self.runtime = runtime
        self.read = read
        self.listed = listed
        self.what = what
        self.matching = listed.matching()
        self.period = listed.period()
        self.shown = 0
        self.target = read.target(runtime)
        with explained(self.target):
            self.client = runtime.connect(self.target)

    def run(self, followed: Followed, *, since: str | None, until_consensus: bool) -> None:
        """Follow until interrupted, or until a consensus is there."""
        started = self.runtime.monotonic()
        follower = Follower(self.client, self.target.table, followed, self.runtime.now)
        try:
            with explained(self.target), self._view(incidents=followed.horizon is not None) as view:
                if followed.horizon is None:
                    as_table = self.read.output == "table"
                    existing = follower.existing(attributes=LISTED if as_table else (), whole=not as_table)
                    self._show(existing, view)
                    if follower.is_empty:
                        with self._patient(view):
                            self._advise(followed)
                else:
                    follower.skip(since)
                while True:
                    concluded = self._show(follower.poll(), view)
                    if until_consensus and (concluded if followed.horizon is not None else follower.is_concluded):
                        break
                    spent = self.runtime.monotonic() - started
                    view.wait(f"following {self.what} for {age(spent)}, {self.shown:,} shown; Ctrl-C ends")
                    self.runtime.sleep(INTERVAL)
        finally:
            spent = self.runtime.monotonic() - started
            click.echo(
                f"Followed {self.what} for {age(spent)}: {plural(self.shown, 'recommendation')} shown,"
                f" {read_price(follower.units)}.",
                err=True,
            )

    def _advise(self, followed: Followed) -> None:
        """Suggest other IDs if there is nothing of an incident; it may be mistyped, or still to come."""
        for key, value in followed.searches():
            if not exists(self.client, self.target.table, key, value):
                why = nothing_found(self.client, self.target, Search(key, value), 0, Counter())
                click.echo(f"{why.message} Waiting for the first.", err=True)

    def _show(self, documents: Iterator[Document], view: View) -> bool:
        """Show what is wanted; return whether any was a consensus."""
        concluded = False
        with self._patient(view):
            for document in documents:
                concluded = concluded or document.get("agentType") == CONSENSUS
                if self._wanted(document):
                    view.show(document)
                    self.shown += 1
        return concluded

    def _wanted(self, document: Document) -> bool:
        return self.period.includes(str(document.get("timestamp"))) and self.matching.passes(document)

    @contextmanager
    def _patient(self, view: View) -> Iterator[None]:
        """Go on after throttling and lost connections, but not after an error that would recur."""
        try:
            yield
        except Exception as error:
            why = passing_failure(error)
            if why is None:
                raise
            view.wait(f"retrying: {why}")
            click.echo(f"No answer from the {self.target} ({visible(why)}): retrying, nothing is missed.", err=True)

    @contextmanager
    def _view(self, *, incidents: bool) -> Iterator[View]:
        if self.read.output != "table":
            yield Lines(self.read.output)
            return
        console = open_terminal(self.runtime.environ)
        print_scope(console, self.listed.scope(self.runtime))
        with screen(console, incidents=incidents) as view:
            yield view
