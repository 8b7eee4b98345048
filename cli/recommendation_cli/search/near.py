"""What somebody may have meant who named something that is not there: a few queries of bounded size, never a Scan."""

import re
from collections.abc import Iterator
from datetime import timedelta
from difflib import SequenceMatcher, get_close_matches
from itertools import islice
from typing import Final, NamedTuple

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Search
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.item.encoding import PARTITION_KEY

_LOOKED_AT: Final = 100  # entries of an index, newest first: half a megabyte of items as large as the recorded ones
_NAMED: Final = 3
_ABOUT_AS_CLOSE: Final = 0.1  # of difflib's ratio, which is 1 for equals
_LEAST_PART: Final = 4  # characters of an ID that is taken for a part of another one
_RECOMMENDATION: Final = re.compile(r"rec-(.+)-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.DOTALL)
_AROUND: Final = timedelta(days=1)
_LONGEST_TYPE: Final = 3  # words that an unknown agent type is tried with


class Near(NamedTuple):
    """The most similar first; `looked_at` says in words where they were looked for."""

    ids: tuple[str, ...]
    looked_at: str


def is_there(client: DynamoDb, table: str, key: str, value: str) -> bool:
    """Tell whether an index has anything under a value."""
    return next(_entries(client, table, Search(key, value), key, most=1), None) is not None


def is_recommendation_id(value: str) -> bool:
    """Tell whether a text has the form of a recommendation's ID."""
    return _RECOMMENDATION.fullmatch(value) is not None


def near_ids(client: DynamoDb, table: str, key: str, value: str) -> Near:
    """Look for similar values of `key` (incidentId, executionId, recommendationId) among the newest of each agent."""
    # The consensus first: there is one in each execution, so its newest reach the furthest back.
    for agent in reversed(KNOWN_AGENT_TYPES):
        found = similar(value, _entries(client, table, Search("agentType", agent), key))
        if found:
            return Near(found, f"the newest {_LOOKED_AT} of {agent}")
    return Near((), f"the newest {_LOOKED_AT} of each usual agent type")


def near_recommendations(client: DynamoDb, table: str, recommendation_id: str) -> Near:
    """Look for similar IDs: those of the incident that the ID names, else those of its agent about its time."""
    named = _RECOMMENDATION.fullmatch(recommendation_id)
    if named is None:
        return near_ids(client, table, PARTITION_KEY, recommendation_id)
    parts = list(_parts(named[1]))
    searches = [(Search("incidentId", incident), f"the newest {_LOOKED_AT} of {incident}") for incident, _ in parts]
    for _, agent in parts[:1]:
        around = Search("agentType", agent, period=_about(named[2]))
        searches.append((around, f"{_LOOKED_AT} of {agent} about that time"))
    for search, looked_at in searches:
        found = similar(recommendation_id, _entries(client, table, search, PARTITION_KEY))
        if found:
            return Near(found, looked_at)
    return near_ids(client, table, PARTITION_KEY, recommendation_id)


def similar(wanted: str, among: Iterator[str] | list[str]) -> tuple[str, ...]:
    """Return the up to three IDs that are most like the one wanted: those that hold it first."""
    folded = {one.casefold(): one for one in among}
    text = wanted.casefold()
    parts = [one for one in folded if len(text) >= _LEAST_PART and text in one]
    close = get_close_matches(text, folded, n=_NAMED)
    # IDs have much in common with each other; only what is about as close as the closest is meant.
    ratios = [SequenceMatcher(a=text, b=one).ratio() for one in close]
    close = [one for one, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - _ABOUT_AS_CLOSE]
    return tuple(folded[one] for one in islice(dict.fromkeys([*parts, *close]), _NAMED))


def _entries(client: DynamoDb, table: str, search: Search, wanted: str, *, most: int = _LOOKED_AT) -> Iterator[str]:
    """Yield one attribute of the newest entries under a key."""
    parameters = search.parameters()
    parameters["ExpressionAttributeNames"] |= {"#wanted": wanted}
    answer = client.query(TableName=table, **parameters, Limit=most, ProjectionExpression="#wanted")
    for item in answer.get("Items", []):
        if "S" in item.get(wanted, {}):
            yield item[wanted]["S"]


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield what may be the incident and the agent type in an ID's `{incident}-{agent type}`."""
    for agent in KNOWN_AGENT_TYPES:
        if text.endswith(f"-{agent}"):
            yield text.removesuffix(f"-{agent}"), agent
            return
    words = text.split("-")
    for count in range(1, min(_LONGEST_TYPE, len(words) - 1) + 1):
        yield "-".join(words[:-count]), "-".join(words[-count:])


def _about(instant: str) -> Period:
    try:
        moment = parse_instant(instant)
        return Period(sort_key(moment - _AROUND), sort_key(moment + _AROUND))
    except (ValueError, OverflowError):  # a date that is none
        return Period()
