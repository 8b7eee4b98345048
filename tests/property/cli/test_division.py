"""A listing that is read at several places holds what it holds when it is read from one end to the other."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recommendation_cli.search.at_once import in_any_order
from recommendation_cli.search.division import divided
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Listing, Search
from recommendation_shared.envelope.identity import EPOCH, sort_key
from tests.support.fakes.paged_index import PagedIndex, paged_items

# Some at the same moment, some in bursts, some far apart.
_SECONDS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 200), st.integers(0, 100_000)), max_size=60)


@given(_SECONDS, st.integers(1, 5), st.integers(-10, 300), st.none() | st.integers(0, 100_000))
def test_nothing_is_missed_and_nothing_is_read_twice(
    seconds: list[int], page: int, since: int, until: int | None
) -> None:
    """Whatever the period, and however the items lie in it; the index refuses what DynamoDB would refuse."""
    last = None if until is None else sort_key(EPOCH + timedelta(seconds=max(since, until)))
    period = Period(sort_key(EPOCH + timedelta(seconds=since)), last)
    listing = Listing(PagedIndex(paged_items("a", seconds), page=page), "t", Search("agentType", "a", period), now=None)
    found = Counter(document["recommendationId"] for _, batch in in_any_order([listing]) for document in batch)
    end = 100_000 if until is None else max(since, until)
    assert found == Counter(
        f"a-{second}" + (f"-{copy}" if copy else "") for second, copy in _numbered(seconds, since, end)
    )


@given(_SECONDS.filter(len), st.integers(1, 5))
def test_parts_adjoin(seconds: list[int], size: int) -> None:
    """Each begins at the first text after the previous one, which no sort key precedes."""
    search = Search("agentType", "a", Period(sort_key(EPOCH), None))
    page = next(Listing(PagedIndex(paged_items("a", seconds), page=size), "t", search, now=None).pages(search))
    parts = [part for part, _ in divided(page)]
    assert not parts or (parts[0].period.until, parts[-1].period.since) == (None, search.period.since)
    for newer, older in pairwise(parts):
        assert newer.period.since == f"{older.period.until}\0"


def _numbered(seconds: list[int], since: int, until: int) -> list[tuple[int, int]]:
    counts: Counter[int] = Counter()
    numbered = []
    for second in seconds:
        numbered.append((second, counts[second]))
        counts[second] += 1
    return [(second, copy) for second, copy in numbered if since <= second <= until]
