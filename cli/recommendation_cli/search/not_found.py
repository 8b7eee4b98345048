"""Why nothing was found, in one sentence with the remedy, and with what may have been meant."""

import shlex
from collections import Counter
from collections.abc import Callable
from typing import Final

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.near import Near, is_recommendation_id, is_there, near_ids, near_recommendations, similar
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Search
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

_NOUNS: Final = {"incidentId": "incident", "executionId": "execution", "agentType": "agent type"}
_COMMANDS: Final = {"incidentId": "incident", "executionId": "execution"}


def nothing_found(
    client: DynamoDb, target: Target, search: Search, expired: int, others: Counter[str]
) -> NothingFoundError:
    """Return why a search found nothing; `expired` and `others` count what it hid (see `queries.Listing`)."""
    what = f"{_NOUNS[search.key]} {visible(search.value)}"
    if others:
        types = ", ".join(f"{visible(agent)} ({count})" for agent, count in others.most_common())
        wanted = visible(str(search.only))
        return NothingFoundError(
            f"None of the {others.total()} recommendations of {what} has {wanted}: they are of {types}."
        )
    if expired:
        return NothingFoundError(
            f"Nothing current of {what}: --include-expired shows what has expired ({expired} still there)."
        )
    if search.period != Period() and is_there(client, target.table, search.key, search.value):
        return NothingFoundError(
            f"No recommendation of {what} in that period in {target}, only outside of it: widen --since and --until."
        )
    advice = _type_advice(search.value) if search.key == "agentType" else _advice(client, target, search)
    return NothingFoundError(f"No recommendation of {what} in {target}: {advice}")


def no_such_recommendation(client: DynamoDb, target: Target, recommendation_id: str) -> NothingFoundError:
    """Return why one recommendation was not found."""
    advice = _advised(
        lambda: _other_kind(client, target.table, recommendation_id, tuple(_COMMANDS)),
        lambda: near_recommendations(client, target.table, recommendation_id),
        "recs incident lists those of an incident",
    )
    return NothingFoundError(f"No recommendation {visible(recommendation_id)} in {target}: {advice}")


def _type_advice(agent_type: str) -> str:
    near = similar(agent_type, list(KNOWN_AGENT_TYPES))
    if agent_type in KNOWN_AGENT_TYPES:
        return "check --table and --region, and that all of it has not expired."
    return _did_you_mean(near) if near else f"the usual types are {', '.join(KNOWN_AGENT_TYPES)}."


def _advice(client: DynamoDb, target: Target, search: Search) -> str:
    if is_recommendation_id(search.value):
        return f"it is a recommendation's ID, so try recs show {visible(shlex.quote(search.value))}"
    return _advised(
        lambda: _other_kind(client, target.table, search.value, tuple(key for key in _COMMANDS if key != search.key)),
        lambda: near_ids(client, target.table, search.key, search.value),
        "check the ID, --table and --region, and that it has not expired",
    )


def _other_kind(client: DynamoDb, table: str, value: str, keys: tuple[str, ...]) -> str | None:
    if value in KNOWN_AGENT_TYPES:
        return f"it is an agent type, so try recs agent {value}"
    for key in keys:
        if is_there(client, table, key, value):
            return f"it is an {_NOUNS[key]}, so try recs {_COMMANDS[key]} {visible(shlex.quote(value))}"
    return None


def _advised(look_elsewhere: Callable[[], str | None], look_near: Callable[[], Near], remedy: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        elsewhere = look_elsewhere()
        if elsewhere is not None:
            return elsewhere
        near = look_near()
    except (BotoCoreError, ClientError) as error:  # that nothing was found is known all the same
        return f"{remedy} (similar IDs could not be looked for: {visible(type(error).__name__)})."
    if near.ids:
        return f"{_did_you_mean(near.ids)} (Looked at {visible(near.looked_at)}.)"
    return f"{remedy}; nothing similar is among {visible(near.looked_at)}."


def _did_you_mean(ids: tuple[str, ...]) -> str:
    return f"did you mean {' or '.join(map(visible, ids))}?"
