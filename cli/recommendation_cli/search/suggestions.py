"""Suggestions for an ID that does not exist, from a few queries of bounded size; never a Scan."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from difflib import SequenceMatcher, get_close_matches
from itertools import islice
from typing import Final, NamedTuple

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Search
from recommendation_shared.envelope.identity import parse_instant, sort_key
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.item.encoding import PARTITION_KEY

_SEARCHED: Final = 100  # index entries, newest first: half a megabyte of items of the usual size
_SUGGESTED: Final = 3
_ABOUT_AS_CLOSE: Final = 0.1  # in difflib's ratio, which is 1 for equal texts
_LEAST_PART: Final = 4  # characters; a shorter text is not taken for a part of an ID
_RECOMMENDATION: Final = re.compile(r"rec-(.+)-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.DOTALL)
_AROUND: Final = timedelta(days=1)
_LONGEST_TYPE: Final = 3  # words; how many are tried as an unknown agent type


class Suggestions(NamedTuple):
    """Similar IDs, the most similar first; `searched` says in words where they were looked for."""

    ids: tuple[str, ...]
    searched: str


def exists(client: DynamoDb, table: str, key: str, value: str) -> bool:
    """Return whether an index has any entry for a value of its key."""
    return next(_entries(client, table, Search(key, value), key, most=1), None) is not None


def is_recommendation_id(value: str) -> bool:
    """Return whether a text looks like a recommendation's ID."""
    return _RECOMMENDATION.fullmatch(value) is not None


def suggest_ids(client: DynamoDb, table: str, key: str, value: str) -> Suggestions:
    """Look for similar values of `key` (incidentId, executionId, recommendationId) among the newest of each agent."""
    # The consensus first: an execution has only one, so its newest entries reach back the furthest.
    for agent in _types_consensus_first(client, table):
        ids = most_similar(value, _entries(client, table, Search("agentType", agent), key))
        if ids:
            return Suggestions(ids, f"the newest {_SEARCHED} of {agent}")
    return Suggestions((), f"the newest {_SEARCHED} of each agent type")


def _types_consensus_first(client: DynamoDb, table: str) -> Iterator[str]:
    yield from reversed(KNOWN_AGENT_TYPES)
    yield from (agent for agent in agent_types(client, table) if agent not in KNOWN_AGENT_TYPES)


def suggest_recommendations(client: DynamoDb, table: str, recommendation_id: str) -> Suggestions:
    """Look for similar IDs in the incident that the ID names, then among its agent's around its time."""
    match = _RECOMMENDATION.fullmatch(recommendation_id)
    if match is None:
        return suggest_ids(client, table, PARTITION_KEY, recommendation_id)
    splits = list(_splits(match[1]))
    searches = [(Search("incidentId", incident), f"the newest {_SEARCHED} of {incident}") for incident, _ in splits]
    for _, agent in splits[:1]:
        around = Search("agentType", agent, period=_around(match[2]))
        searches.append((around, f"{_SEARCHED} of {agent} around that time"))
    for search, searched in searches:
        ids = most_similar(recommendation_id, _entries(client, table, search, PARTITION_KEY))
        if ids:
            return Suggestions(ids, searched)
    return suggest_ids(client, table, PARTITION_KEY, recommendation_id)


def most_similar(wanted: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Return up to three candidates that are most like the text: first those that begin with it, or contain it."""
    folded = {candidate.casefold(): candidate for candidate in candidates}
    text = wanted.casefold()
    beginning = [candidate for candidate in folded if candidate.startswith(text)]
    containing = [candidate for candidate in folded if len(text) >= _LEAST_PART and text in candidate]
    close = get_close_matches(text, folded, n=_SUGGESTED)
    # IDs have much in common with each other: keep only those that are about as close as the closest.
    ratios = [SequenceMatcher(a=text, b=candidate).ratio() for candidate in close]
    close = [candidate for candidate, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - _ABOUT_AS_CLOSE]
    return tuple(
        folded[candidate] for candidate in islice(dict.fromkeys([*beginning, *containing, *close]), _SUGGESTED)
    )


def _entries(client: DynamoDb, table: str, search: Search, attribute: str, *, most: int = _SEARCHED) -> Iterator[str]:
    """Yield one attribute of the newest index entries that a search finds."""
    parameters = search.parameters()
    parameters["ExpressionAttributeNames"] |= {"#wanted": attribute}
    answer = client.query(TableName=table, **parameters, Limit=most, ProjectionExpression="#wanted")
    for item in answer.get("Items", []):
        if "S" in item.get(attribute, {}):
            yield item[attribute]["S"]


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """Yield what may be the incident and the agent type in an ID's `{incident}-{agent type}`."""
    for agent in KNOWN_AGENT_TYPES:
        if text.endswith(f"-{agent}"):
            yield text.removesuffix(f"-{agent}"), agent
            return
    words = text.split("-")
    for count in range(1, min(_LONGEST_TYPE, len(words) - 1) + 1):
        yield "-".join(words[:-count]), "-".join(words[-count:])


def _around(instant: str) -> Period:
    try:
        moment = parse_instant(instant)
        return Period(sort_key(moment - _AROUND), sort_key(moment + _AROUND))
    except (ValueError, OverflowError):  # a date that does not exist
        return Period()
