"""What the executor recorded about an agent's run, as typed values; None for what is missing or not usable."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from recommendation_shared.exact_json.canonical import canonical_text

_SUCCEEDED: Final = frozenset({"SUCCESS", ""})  # the consensus carries no status
_MOST_MILLISECONDS: Final = 366 * 86_400_000  # a longer duration is a mistake, and could overflow a date
_MOST_TOKENS: Final = 10**15  # more is a mistake, and would not fit a column of integers

Number = int | float | Decimal


class Facts(NamedTuple):
    """From an item's `metadata`; `cost` is in US dollars, `tokens` counts those read and those written.

    `status` is empty if there is none; one that is not text, such as 5, is its JSON, which is not a success.
    """

    status: str
    duration_ms: Number | None
    cost: Number | None
    tokens: int | None
    model: str | None
    agent_version: str | None


def facts(document: Mapping[str, Any]) -> Facts:
    """Return the facts about any item in the table, including one written by hand."""
    metadata = metadata_of(document)
    cost = metadata.get("cost")
    bill: Mapping[str, Any] = cost if isinstance(cost, dict) else {"estimatedCost": cost}
    return Facts(
        status=status_of(document),
        duration_ms=_number(metadata.get("durationMs"), _MOST_MILLISECONDS),
        cost=_number(bill.get("estimatedCost"), _MOST_TOKENS),
        tokens=_tokens(metadata.get("tokens")) or _tokens(bill),
        model=_text(bill.get("model")) or _text(metadata.get("model")),
        agent_version=_text(metadata.get("agentVersion")),
    )


def metadata_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the executor recorded; empty where somebody wrote something else by hand."""
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def status_of(document: Mapping[str, Any]) -> str:
    """Return how the agent ended, as it was recorded; an empty string without a status."""
    status = metadata_of(document).get("status")
    return "" if status is None else status if isinstance(status, str) else canonical_text(status)


def fact_columns(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts under the names that exports have for them, in their order; None for what is missing."""
    known = facts(document)
    return {
        "status": known.status or None,
        "durationMs": known.duration_ms,
        "cost": known.cost,
        "tokens": known.tokens,
        "model": known.model,
        "agentVersion": known.agent_version,
    }


def replay_of(document: Mapping[str, Any]) -> str | None:
    """Return the execution that a document's execution repeats; None if it is not a replay."""
    replay = metadata_of(document).get("replayMetadata")
    original = replay.get("replay_of", replay.get("replayOf")) if isinstance(replay, dict) else None
    return original if isinstance(original, str) else None


def succeeded(status: str) -> bool:
    """Return whether a status is a success; an agent without a status succeeded."""
    return status.upper() in _SUCCEEDED


def _tokens(value: Any) -> int | None:
    if isinstance(value, dict):
        counts = [_number(value.get(name), _MOST_TOKENS) for name in ("inputTokens", "outputTokens")]
        known = [int(count) for count in counts if count is not None]
        return sum(known) if known else None
    number = _number(value, _MOST_TOKENS)
    return None if number is None else int(number)


def _number(value: Any, most: int) -> Number | None:
    if isinstance(value, bool) or not isinstance(value, Number) or not 0 <= value <= most:
        return None
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


FACTS: Final = tuple(fact_columns({}))
