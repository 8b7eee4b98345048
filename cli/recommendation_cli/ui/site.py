"""What every page needs: the table, a connection that is kept, and how it is looked at."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

import click
from starlette.requests import Request

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.options.keys import checked_key
from recommendation_cli.options.table import TableOptions
from recommendation_cli.runtime import Runtime
from recommendation_cli.ui.access import Access
from recommendation_cli.ui.feed import Feeds
from recommendation_cli.ui.links import own_path


class KeptConnection:
    """Connects once for all pages, from whichever thread needs the table first."""

    def __init__(self, connect: Callable[[Target], DynamoDb]) -> None:
        self._connect = connect
        self._lock = Lock()
        self._client: DynamoDb | None = None

    def __call__(self, target: Target) -> DynamoDb:
        """Return the client, which is the same for every call, as there is only one table."""
        with self._lock:
            if self._client is None:
                self._client = self._connect(target)
            return self._client

    def forget(self) -> None:
        """Connect again next time: after an error, other credentials may be there, such as after `aws sso login`."""
        with self._lock:
            self._client = None


@dataclass(frozen=True)
class Site:
    """One run of `recs ui`; `runtime` connects by `connection`.

    A page that takes longer than `quick` seconds begins to appear before it is complete. `closing` is set when the
    server ends.
    """

    runtime: Runtime
    connection: KeptConnection
    table: TableOptions
    access: Access
    feeds: Feeds
    may_review: bool
    quick: float = 0.3
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def target(self) -> Target:
        """The table that is looked at."""
        return self.table.target(self.runtime)

    def client(self) -> DynamoDb:
        """Return the connection to the table. Raises as `connect` does."""
        return self.runtime.connect(self.target)

    def expired_by(self) -> float | None:
        """Return the time by which an item must not have expired to be shown, in epoch seconds; None shows all."""
        return None if self.table.include_expired else self.runtime.now()


def site_of(runtime: Runtime, table: TableOptions, access: Access, *, may_review: bool) -> Site:
    """Return a site that reads a table."""
    connection = KeptConnection(runtime.connect)
    kept = replace(runtime, connect=connection)
    return Site(kept, connection, table, access, Feeds(kept, table, connection.forget), may_review)


def site_behind(request: Request) -> Site:
    """Return the site that a request is for."""
    site: Site = request.app.state.site
    return site


def address_behind(request: Request) -> str:
    """Return the address of a request, without the server: what others need to see the same on their own page."""
    query = request.scope["query_string"].decode("latin-1")
    return own_path(request.scope["raw_path"].decode("latin-1")) + (query and f"?{query}")


def identity_behind(request: Request, most: int) -> str:
    """Return the ID in an address, of at most that many bytes; raise a usage error if it cannot be one."""
    return checked_identity(request.path_params.get("id") or request.query_params.get("id", ""), most)


def checked_identity(identity: str, most: int) -> str:
    """Return an ID of at most that many bytes; raise a usage error if it cannot be one."""
    try:
        return checked_key(identity, most)
    except click.BadParameter as error:
        raise click.UsageError(f"The ID {error.message}.") from None
