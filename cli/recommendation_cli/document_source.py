"""All documents of a search at once, oldest first, for commands that need every one of them before they can answer."""

from typing import Final

from recommendation_cli.aws.errors import explained
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import TableOptions
from recommendation_cli.reviews.beside import ReviewsBeside
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import Report
from recommendation_cli.search.marks import UnreadableMark, find_mark
from recommendation_cli.search.not_found import nothing_found
from recommendation_cli.search.queries import Document, Listing, Search
from recommendation_shared.item.marks import Mark
from recommendation_shared.wording import plural

EVERYTHING: Final = ListOptions()


class DocumentSource:
    """One connection to the table, for any number of searches, and for the reviews beside what they find."""

    def __init__(self, runtime: Runtime, table: TableOptions) -> None:
        self._target = table.target(runtime)
        self._now = None if table.include_expired else runtime.now()
        with explained(self._target):
            self._client = runtime.connect(self._target)
        self.reviews = ReviewsBeside(self._client, table.reviews_target(runtime), now=self._now)

    def mark(self, incident_id: str) -> Mark | UnreadableMark | None:
        """Return an incident's mark."""
        with explained(self._target):
            return find_mark(self._client, self._target.table, incident_id)

    def fetch(
        self,
        key: str,
        value: str,
        listed: ListOptions = EVERYTHING,
        *,
        attributes: tuple[str, ...] = (),
        report: Report | None = None,
    ) -> list[Document]:
        """Return the documents in order of time; with a limit, the newest ones. Raises `NothingFoundError`.

        They hold at least `attributes` (see `search.projection`), and everything if none are named. `report` is called
        after each page.
        """
        search = Search(
            *(key, value, listed.period(), listed.limit),
            matching=listed.matching(),
            whole=not attributes,
            attributes=attributes,
        )
        with explained(self._target):
            listing = Listing(self._client, self._target.table, search, now=self._now)
            documents: list[Document] = []
            for batch in listing.batches():
                documents += batch
                if report is not None:
                    report(f"read {plural(listing.read, 'recommendation')}", listing.read, None)
            if not documents:
                raise nothing_found(self._client, self._target, search, listing.expired, listing.others)
        return documents[::-1]
