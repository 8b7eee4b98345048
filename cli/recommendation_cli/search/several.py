"""Reading several listings, such as one of each agent type."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from recommendation_cli.search.queries import Document, Listing

Batches = Iterator[tuple[Listing, list[Document]]]
Gather = Callable[[Sequence[Listing]], Batches]
"""Reads listings and returns their batches, each with its listing; a listing's own batches keep their order."""


def one_after_another(listings: Iterable[Listing]) -> Batches:
    """Yield each listing's batches before the next listing is read."""
    for listing in listings:
        for batch in listing.batches():
            yield listing, batch
