"""Follow an incident, or everything, until Ctrl-C or a consensus."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from recommendation_cli.aws.errors import explained
from recommendation_cli.follow.follower import Followed, Follower
from recommendation_cli.follow.view import Lines, View, screen
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.read_cost import read_price
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.projection import LISTED
from recommendation_cli.search.queries import Document
from recommendation_shared.aws_errors import error_code, is_throttling, is_transient
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural

_INTERVAL: Final = 1.0  # seconds between two polls
_HORIZON: Final = 86_400.0  # seconds; `recs follow` shows what is stored up to a day after its agent completed
_TYPES_SECONDS: Final = 15.0  # after which the register of agent types is read again


def follow_incident(
    runtime: Runtime, incident_id: str, read: ReadOptions, listed: ListOptions, *, until_consensus: bool
) -> None:
    """Print an incident's recommendations, oldest first, and then new ones as they are stored."""
    following = _Following(runtime, read, listed, f"incident {visible(incident_id)}")
    followed = Followed(lambda: (("incidentId", incident_id),), horizon=None)
    following.run(followed, since=None, until_consensus=until_consensus)


def follow_everything(runtime: Runtime, read: ReadOptions, listed: ListOptions, *, until_consensus: bool) -> None:
    """Print new recommendations of every agent as they are stored, after those since `--since`."""
    following = _Following(runtime, read, listed, "all incidents")
    following.run(following.every_agent(), since=listed.since, until_consensus=until_consensus)


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

    def every_agent(self) -> Followed:
        """Return the searches for every agent, which new agents join while following."""
        types: tuple[str, ...] = ()
        due = 0.0

        def keys() -> Sequence[tuple[str, str]]:
            nonlocal types, due
            if self.runtime.monotonic() >= due:
                types = agent_types(self.client, self.target.table)
                due = self.runtime.monotonic() + _TYPES_SECONDS
            return [("agentType", agent) for agent in types]

        return Followed(keys, _HORIZON)

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
                else:
                    follower.skip(since)
                while True:
                    concluded = self._show(follower.poll(), view)
                    if until_consensus and (concluded if followed.horizon is not None else follower.is_concluded):
                        break
                    spent = self.runtime.monotonic() - started
                    view.wait(f"following {self.what} for {age(spent)}, {self.shown:,} shown; Ctrl-C ends")
                    self.runtime.sleep(_INTERVAL)
        finally:
            spent = self.runtime.monotonic() - started
            click.echo(
                f"Followed {self.what} for {age(spent)}: {plural(self.shown, 'recommendation')} shown,"
                f" {read_price(follower.units)}.",
                err=True,
            )

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
        from botocore import exceptions as aws

        try:
            yield
        except (aws.ConnectionError, aws.HTTPClientError) as error:
            self._say_retrying(view, type(error).__name__)
        except aws.ClientError as error:
            if not (is_throttling(error) or is_transient(error)):
                raise
            self._say_retrying(view, error_code(error))

    def _say_retrying(self, view: View, why: str) -> None:
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
