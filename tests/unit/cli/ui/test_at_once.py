import threading
from collections.abc import Iterator

import pytest

from recommendation_cli.search.queries import Document, Listing, Search
from recommendation_cli.ui.threads.at_once import at_once
from tests.support.fakes.recommendation_table import FakeDynamoDb


class _Prepared(Listing):
    """Yields batches that are prepared; it waits at `barrier` first."""

    def __init__(self, name: str, batches: list[list[Document] | Exception], barrier: threading.Barrier | None) -> None:
        super().__init__(FakeDynamoDb(), "t", Search("agentType", name), now=None)
        self._prepared = batches
        self._barrier = barrier

    def batches(self) -> Iterator[list[Document]]:
        """Yield what is prepared."""
        if self._barrier is not None:
            self._barrier.wait(timeout=10)
        for batch in self._prepared:
            if isinstance(batch, Exception):
                raise batch
            yield batch


def test_listings_are_read_at_the_same_time() -> None:
    """Each waits until the others have begun."""
    barrier = threading.Barrier(3)
    listings = [_Prepared(name, [[{"n": 1}], [{"n": 2}]], barrier) for name in "abc"]
    found = [(listing.search.value, batch[0]["n"]) for listing, batch in at_once(listings)]
    assert sorted(found) == [(name, number) for name in "abc" for number in (1, 2)]
    assert [number for name, number in found if name == "a"] == [1, 2]


def test_more_listings_than_readers_are_all_read() -> None:
    """An executor may have any number of agent types."""
    listings = [_Prepared(str(number), [[{}]], None) for number in range(30)]
    assert len(list(at_once(listings))) == 30
    assert list(at_once([])) == []


def test_what_a_reader_raises_is_raised() -> None:
    """Whatever else was read by then."""
    listings = [_Prepared("a", [[{}], ValueError("refused")], None), _Prepared("b", [[{}]], None)]
    with pytest.raises(ValueError, match="refused"):
        list(at_once(listings))
