"""Why nothing was found: one sentence with the remedy and a suggestion."""

import shlex
from collections import Counter
from collections.abc import Callable
from typing import Final

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.marks import find_mark
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Search
from recommendation_cli.search.suggestions import (
    Suggestions,
    exists,
    is_recommendation_id,
    most_similar,
    suggest_ids,
    suggest_recommendations,
)
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.item.marks import Mark
from recommendation_shared.wording import plural

_DATE: Final = len("2026-01-31")
_NOUNS: Final = {"incidentId": "incident", "executionId": "execution", "agentType": "agent type"}
_COMMANDS: Final = {"incidentId": "incident", "executionId": "execution"}


def nothing_found(
    client: DynamoDb, target: Target, search: Search, expired: int, others: Counter[str]
) -> NothingFoundError:
    """Return why a search found nothing; `expired` and `others` count what it hid (see `queries.Listing`)."""
    what = f"{_NOUNS[search.key]} {visible(search.value)}"
    if search.key == "incidentId" and not others and not expired:
        mark = find_mark(client, target.table, search.value)
        if isinstance(mark, Mark) and mark.is_erased:
            _, by, at, reason = mark.history[-1]
            erased = f"it was erased on {visible(at[:_DATE])} by {visible(by)}: {visible(reason)}"
            return NothingFoundError(f"Nothing of {what} is in {target}: {erased}.")
    if others:
        types = ", ".join(f"{visible(agent)} ({count})" for agent, count in others.most_common())
        wanted = visible(str(search.matching))
        return NothingFoundError(f"No recommendation of {what} matches {wanted}; those found are from {types}.")
    if expired:
        return NothingFoundError(
            f"Everything found for {what} has expired ({plural(expired, 'recommendation')}): --include-expired shows it"
            " until DynamoDB deletes it."
        )
    if search.period != Period() and exists(client, target.table, search.key, search.value):
        return NothingFoundError(
            f"No recommendation of {what} in that period in {target}, only outside it: widen --since and --until."
        )
    advice = (
        _type_advice(client, target, search.value) if search.key == "agentType" else _advice(client, target, search)
    )
    return NothingFoundError(f"No recommendation of {what} in {target}: {advice}")


def no_such_recommendation(client: DynamoDb, target: Target, recommendation_id: str) -> NothingFoundError:
    """Return why one recommendation was not found."""
    advice = _advised(
        lambda: _other_kind(client, target.table, recommendation_id, tuple(_COMMANDS)),
        lambda: suggest_recommendations(client, target.table, recommendation_id),
        "recs incident lists the IDs of an incident",
    )
    return NothingFoundError(f"No recommendation {visible(recommendation_id)} in {target}: {advice}")


def _type_advice(client: DynamoDb, target: Target, agent_type: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        types = agent_types(client, target.table)
    except (BotoCoreError, ClientError):  # the search itself succeeded: it found nothing
        types = KNOWN_AGENT_TYPES
    if agent_type in types:
        return "check --table and --region, or whether everything has expired."
    similar = most_similar(agent_type, types)
    return _did_you_mean(similar) if similar else f"the types are {visible(', '.join(types))}."


def _advice(client: DynamoDb, target: Target, search: Search) -> str:
    if is_recommendation_id(search.value):
        return f"it is a recommendation ID, so try recs show {visible(shlex.quote(search.value))}"
    return _advised(
        lambda: _other_kind(client, target.table, search.value, tuple(key for key in _COMMANDS if key != search.key)),
        lambda: suggest_ids(client, target.table, search.key, search.value),
        "check the ID, --table and --region, or whether it has expired",
    )


def _other_kind(client: DynamoDb, table: str, value: str, keys: tuple[str, ...]) -> str | None:
    if value in KNOWN_AGENT_TYPES:
        return f"it is an agent type, so try recs agent {value}"
    for key in keys:
        if exists(client, table, key, value):
            return f"it is an {_NOUNS[key]}, so try recs {_COMMANDS[key]} {visible(shlex.quote(value))}"
    return None


def _advised(look_elsewhere: Callable[[], str | None], suggest: Callable[[], Suggestions], remedy: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        elsewhere = look_elsewhere()
        if elsewhere is not None:
            return elsewhere
        suggestions = suggest()
    except (BotoCoreError, ClientError) as error:  # the search itself succeeded: it found nothing
        return f"{remedy} (looking for similar IDs failed: {visible(type(error).__name__)})."
    if suggestions.ids:
        return f"{_did_you_mean(suggestions.ids)} (Searched {visible(suggestions.searched)}.)"
    return f"{remedy}; there is nothing similar among {visible(suggestions.searched)}."


def _did_you_mean(ids: tuple[str, ...]) -> str:
    return f"did you mean {' or '.join(map(visible, ids))}?"
