"""Divide what is left of a search into halves of its period, to be read at the same time."""

from collections.abc import Mapping, Sequence
from typing import Final

from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import SORT_KEY, ItemPage, Search
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.item.attribute_value import AttributeValue

_PAGES: Final = 4  # that are left at least: the last one of each half is rarely full
_NEXT: Final = "\0"  # no sort key lies between a text and the same text with this at its end

Rest = tuple[Search, Mapping[str, AttributeValue] | None]
"""A search, and the key after which it begins."""


def divided(page: ItemPage) -> Sequence[Rest]:
    """Return the halves that together hold what follows a page, or none if it should be read in one go.

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
    middle = sort_key(begin + left / 2)
    if left < covered * _PAGES or not search.period.since < middle < last:  # the latter within a microsecond
        return ()
    newer, older = Period(middle + _NEXT, search.period.until), Period(search.period.since, middle)
    return (search._replace(period=newer), page.last), (search._replace(period=older), None)
