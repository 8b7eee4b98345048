"""Reading several listings at the same time, and a long one at several places."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recommendation_cli.search.at_once import at_once, in_any_order
from recommendation_cli.search.period import Period
from recommendation_cli.search.projection import LISTED
from recommendation_cli.search.queries import Listing, Search
from recommendation_cli.search.several import Batches, one_after_another
from recommendation_shared.envelope.identity import EPOCH, sort_key
from tests.support.fakes.paged_index import PagedIndex, paged_items

_PERIOD = Period(sort_key(EPOCH), None)
_BOTH = pytest.mark.parametrize("gather", [at_once, in_any_order])


def _listings(client: Any, *agents: str, period: Period = _PERIOD) -> list[Listing]:
    return [Listing(client, "t", Search("agentType", agent, period), now=None) for agent in agents]


def _read(batches: Batches) -> list[tuple[str, str]]:
    return [(listing.search.value, document["recommendationId"]) for listing, batch in batches for document in batch]


@_BOTH
def test_listings_are_read_at_the_same_time(gather: Callable[[Sequence[Listing]], Batches]) -> None:
    """The first request for each waits until there is one for all."""
    barrier = threading.Barrier(3)

    class _Waiting(PagedIndex):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if "ExclusiveStartKey" not in parameters:
                barrier.wait(timeout=10)
            return super().query(**parameters)

    client = _Waiting(paged_items("a", range(5)) + paged_items("b", range(5)) + paged_items("c", range(5)), page=2)
    assert Counter(_read(gather(_listings(client, "a", "b", "c")))) == Counter(
        (agent, f"{agent}-{second}") for agent in "abc" for second in range(5)
    )


def test_batches_of_a_listing_keep_their_order() -> None:
    """The newest come first within each agent."""
    client = PagedIndex(paged_items("a", range(40)) + paged_items("b", range(3)), page=3)
    found = _read(at_once(_listings(client, "a", "b")))
    assert [name for agent, name in found if agent == "a"] == [f"a-{second}" for second in reversed(range(40))]


@_BOTH
def test_more_listings_than_readers_are_all_read(gather: Callable[[Sequence[Listing]], Batches]) -> None:
    """An executor may have any number of agent types, or none that matches."""
    agents = [f"agent-{number}" for number in range(60)]
    client = PagedIndex([item for agent in agents for item in paged_items(agent, [7])], page=1)
    assert sorted(_read(gather(_listings(client, *agents)))) == sorted((agent, f"{agent}-7") for agent in agents)
    assert list(gather([])) == []


@_BOTH
def test_what_a_reader_raises_is_raised(gather: Callable[[Sequence[Listing]], Batches]) -> None:
    """Whatever else was read by then; nobody waits for the other readers."""

    class _Refusing(PagedIndex):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if parameters["ExpressionAttributeValues"][":key"]["S"] == "b" and "ExclusiveStartKey" in parameters:
                raise ValueError("refused")
            return super().query(**parameters)

    client = _Refusing(paged_items("a", range(300)) + paged_items("b", range(3)), page=1)
    with pytest.raises(ValueError, match="refused"):
        list(gather(_listings(client, "a", "b")))


@_BOTH
def test_readers_end_when_nobody_takes_what_they_read(gather: Callable[[Sequence[Listing]], Batches]) -> None:
    """They never read more than a few pages ahead, and stop when the page that they read for is closed."""
    client = PagedIndex([item for agent in "abcd" for item in paged_items(agent, range(500))], page=1)
    listings = _listings(client, *"abcd")
    batches = gather(listings)
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # a generator
    for thread in threading.enumerate():
        if thread.name == "recs-reader":
            thread.join(timeout=10)
            assert not thread.is_alive()
    assert len(client.queries) < 100
    assert sum(each.read for each in listings) == len(client.queries)  # all of it is billed
    assert sum(each.units for each in listings) == len(client.queries) / 2


def test_long_listing_is_read_at_two_places_and_counted_once() -> None:
    """With the same items, counts and units as from one end to the other; DynamoDB would throttle more at a time."""
    seconds = [*range(0, 4_000, 10), *range(1_000, 1_200), *[77] * 30]
    lock, in_flight, most = threading.Lock(), Counter[str](), Counter[str]()

    class _Watched(PagedIndex):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            agent = parameters["ExpressionAttributeValues"][":key"]["S"]
            with lock:
                in_flight[agent] += 1
                most[agent] = max(most[agent], in_flight[agent])
            time.sleep(0.002)  # long enough for other readers to begin
            try:
                return super().query(**parameters)
            finally:
                with lock:
                    in_flight[agent] -= 1

    client = _Watched(paged_items("a", seconds) + paged_items("b", range(3)), page=7)
    together, in_order = _listings(client, "a", "b"), _listings(client, "a", "b")
    found = _read(in_any_order(together))
    assert most == {"a": 2, "b": 1}
    assert Counter(found) == Counter(_read(one_after_another(in_order)))
    assert [(each.read, each.shown) for each in together] == [(each.read, each.shown) for each in in_order]
    # Parts whose last page is not full: half a unit each, of what they read at the least.
    assert sum(each.units for each in together) < 1.5 * sum(each.units for each in in_order)


def test_listing_of_few_pages_is_read_in_one_go() -> None:
    """Further requests would cost more than they save."""
    client = PagedIndex(paged_items("a", range(12)), page=4)
    since = sort_key(EPOCH - timedelta(seconds=1))
    assert len(_read(in_any_order(_listings(client, "a", period=Period(since, None))))) == 12
    assert len(client.queries) == 3


def _requests_and_units(client: PagedIndex, gather: Callable[[Sequence[Listing]], Batches]) -> tuple[int, float]:
    search = Search("agentType", "a", _PERIOD, whole=False, attributes=LISTED)
    listing = Listing(client, "t", search, now=None)
    assert len(_read(gather([listing]))) == 640
    return len(client.queries), listing.units


def test_parts_ask_at_once_for_what_the_first_page_lacked() -> None:
    """Reading each part's first page a second time would cost half as much again."""
    items = paged_items("a", range(640))  # without reasoning: a list prints what is recommended
    in_order = _requests_and_units(PagedIndex(items, page=10), one_after_another)
    together = _requests_and_units(PagedIndex(items, page=10), in_any_order)
    assert in_order == (65, 325.0)  # the first page twice, and DynamoDB bills both
    assert together[0] <= in_order[0] + 16
    assert together[1] <= in_order[1] + 8


def test_attributes_that_an_index_lacks_are_asked_for_once() -> None:
    """A compact index refuses them, whatever the part."""
    refused = []

    class _Compact(PagedIndex):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if "ProjectionExpression" in parameters:
                refused.append(parameters)
                raise ClientError({"Error": {"Code": "ValidationException", "Message": "does not project"}}, "Query")
            return super().query(**parameters)

    requests, _ = _requests_and_units(_Compact(paged_items("a", range(640)), page=10), in_any_order)
    assert requests > 64
    assert len(refused) == 1


class _Throttled(PagedIndex):
    """Throttles each request as often as it is told to, before it answers."""

    def __init__(self, times: int) -> None:
        super().__init__(paged_items("a", range(640)), page=10)
        self._times = times
        self._refused: Counter[str] = Counter()

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        request = repr(sorted(parameters.items()))
        self._refused[request] += 1
        if self._refused[request] <= self._times:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, "Query")
        return super().query(**parameters)


def test_throttled_readers_wait_and_go_on() -> None:
    """Sixteen of them read faster than DynamoDB lets anyone read what has the same key."""
    found = _read(in_any_order(_listings(_Throttled(times=2), "a"), lambda: iter([0.0, 0.0])))
    assert Counter(found) == Counter(("a", f"a-{second}") for second in range(640))


def test_readers_do_not_wait_forever() -> None:
    """What is throttled again and again is an error."""
    with pytest.raises(ClientError, match="ThrottlingException"):
        list(in_any_order(_listings(_Throttled(times=3), "a"), lambda: iter([0.0, 0.0])))
