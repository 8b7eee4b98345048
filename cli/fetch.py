"""Everything that one search finds, oldest first, for commands that need the whole to answer."""

from typing import Final

from cli.errors import NothingFoundError, explained
from cli.options import ListOptions, ReadOptions
from cli.queries import Document, Listing, Search
from cli.runtime import Runtime
from cli.visible import visible
from shared.vocabulary import KNOWN_AGENT_TYPES

WHOLE: Final = ListOptions(limit=None, since=None, until=None)
_NOUNS = {"incidentId": "incident", "executionId": "execution", "agentType": "agent type"}


class Source:
    """A table to fetch from, several times over one connection."""

    def __init__(self, runtime: Runtime, read: ReadOptions) -> None:
        self._target = read.target(runtime)
        self._now = None if read.include_expired else runtime.now()
        with explained(self._target):
            self._client = runtime.connect(self._target)

    def fetch(self, key: str, value: str, listed: ListOptions = WHOLE) -> list[Document]:
        """Return the documents; with a limit the newest, in the order of time. Raises `NothingFoundError`."""
        search = Search(key, value, period=listed.period(), limit=listed.limit)
        with explained(self._target):
            listing = Listing(self._client, self._target.table, search, now=self._now)
            documents = list(listing)
        if not documents:
            raise NothingFoundError(nothing_found(search, listing.expired, str(self._target)))
        return documents[::-1]


def nothing_found(search: Search, expired: int, target: str) -> str:
    """Return why a search found nothing, with the remedy."""
    what = f"{_NOUNS[search.key]} {visible(search.value)}"
    if expired:
        return f"Nothing current of {what}: --include-expired shows what has expired ({expired} still there)."
    if search.period != (None, None):
        return f"No recommendation of {what} in that period in {target}: widen --since and --until."
    if search.key == "agentType" and search.value not in KNOWN_AGENT_TYPES:
        return f"No recommendation of {what} in {target}: the usual types are {', '.join(KNOWN_AGENT_TYPES)}."
    return f"No recommendation of {what} in {target}: check the ID, --table and --region, and that it has not expired."
