"""Divide what is left of a search into parts of its period, to be read at the same time."""

from collections.abc import Mapping, Sequence
from typing import Final

from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import SORT_KEY, ItemPage, Search
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.item.attribute_value import AttributeValue

_MOST_PARTS: Final = 16
_PAGES: Final = 2  # that a part should have at least, because its last one is rarely full
_NEXT: Final = "\0"  # no sort key lies between a text and the same text with this at its end

Rest = tuple[Search, Mapping[str, AttributeValue] | None]
"""A search, and the key after which it begins."""


def divided(page: ItemPage) -> Sequence[Rest]:
    """Return the parts that together hold what follows a page, or none if it should be read in one go.

    How many pages follow is estimated from the time that this one covers. Only searches for the newest first with a
    beginning are divided.
    """
    search = page.search
    # A page that is completed from the table comes in pieces, of which only the last one has units.
    if page.last is None or search.oldest_first or search.period.since is None or not (page.items and page.units):
        return ()
    last = page.last[SORT_KEY]["S"]
    try:
        begin, reached = parse_instant(search.period.since.removesuffix(_NEXT)), parse_instant(last)
        covered = parse_instant(page.items[0][SORT_KEY]["S"]) - reached
    except ValueError:
        return ()
    if sort_key(reached) != last:  # written by hand, so texts may be ordered differently from times
        return ()
    left = reached - begin
    pages = left / covered if covered else _MOST_PARTS * _PAGES  # estimated; a burst says nothing about what follows
    count = min(_MOST_PARTS, int(pages / _PAGES))
    if count < 2:  # noqa: PLR2004 - one part is no division
        return ()
    bounds = [sort_key(begin + left * number / count) for number in range(1, count)]
    if len({search.period.since, *bounds, last}) < count + 1:  # closer than a microsecond
        return ()
    firsts, lasts = [search.period.since, *(bound + _NEXT for bound in bounds)], [*bounds, search.period.until]
    parts = [search._replace(period=Period(first, last)) for first, last in zip(firsts, lasts, strict=True)]
    return [(parts.pop(), page.last), *((part, None) for part in reversed(parts))]
