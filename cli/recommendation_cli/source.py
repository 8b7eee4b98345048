"""Everything that one search finds, oldest first, for commands that need the whole to answer."""

from typing import Final

from recommendation_cli.aws.errors import explained
from recommendation_cli.options import ListOptions, ReadOptions
from recommendation_cli.runtime import Runtime
from recommendation_cli.search.not_found import nothing_found
from recommendation_cli.search.queries import Document, Listing, Search

WHOLE: Final = ListOptions()


class Source:
    """A table to fetch from, several times over one connection."""

    def __init__(self, runtime: Runtime, read: ReadOptions) -> None:
        self._target = read.target(runtime)
        self._now = None if read.include_expired else runtime.now()
        with explained(self._target):
            self._client = runtime.connect(self._target)

    def fetch(self, key: str, value: str, listed: ListOptions = WHOLE) -> list[Document]:
        """Return the documents; with a limit the newest, in the order of time. Raises `NothingFoundError`."""
        search = Search(key, value, period=listed.period(), limit=listed.limit, only=listed.only())
        with explained(self._target):
            listing = Listing(self._client, self._target.table, search, now=self._now)
            documents = list(listing)
            if not documents:
                raise nothing_found(self._client, self._target, search, listing.expired, listing.others)
        return documents[::-1]
