"""The changes between two executions, agent by agent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

from recommendation_cli.diff.json_changes import Change, changes, same
from recommendation_cli.facts import metadata_of
from recommendation_cli.search.queries import Document
from recommendation_shared.envelope.fields import NOT_CONTENT
from recommendation_shared.exact_json.canonical import canonical_text

# The metadata that belongs to an agent's conclusion. The rest (cost, duration, session) always differs.
_CONCLUSIONS: Final = ("agentVersion", "disclaimer", "error", "rawConfidence", "status", "truncated")
_ALWAYS_DIFFERENT: Final = frozenset(
    {"recommendationId", "incidentId", "executionId", "agentType", "timestamp", *NOT_CONTENT}
)
_COMPARED_SEPARATELY: Final = frozenset({"confidence", "reasoning", "citations"})
# Reasoning comes as long one-line paragraphs; comparing sentences shows where the difference is.
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])[ \t]+|\r?\n")


@dataclass(frozen=True, slots=True)
class AgentDiff:
    """One agent on both sides, None on a side that lacks it; `reasoning` has lines as unified_diff returns them."""

    agent: str
    before: Document | None
    after: Document | None
    confidence: tuple[Any, Any] | None
    fields: tuple[Change, ...]
    reasoning: tuple[str, ...]
    citations_removed: tuple[Any, ...]
    citations_added: tuple[Any, ...]

    @property
    def equal(self) -> bool:
        """Whether both sides have the agent and it said the same."""
        differences = (self.confidence, self.fields, self.reasoning, self.citations_removed, self.citations_added)
        return self.before is not None and self.after is not None and not any(differences)


def compare(before: Iterable[Document], after: Iterable[Document], *, everything: bool = False) -> list[AgentDiff]:
    """Compare two executions, given as documents in order of time; the nth output of an agent with its nth.

    `everything` adds metadata and fields that always differ, such as cost and duration.
    """
    old, new = _by_agent(before), _by_agent(after)
    return [_agent(name, old.get(name), new.get(name), everything=everything) for name in sorted(old.keys() | new)]


def _by_agent(documents: Iterable[Document]) -> dict[str, Document]:
    named: dict[str, Document] = {}
    for document in documents:
        agent = name = str(document.get("agentType"))
        count = 1
        while name in named:
            count += 1
            name = f"{agent} ({count})"
        named[name] = document
    return named


def _agent(name: str, before: Document | None, after: Document | None, *, everything: bool) -> AgentDiff:
    if before is None or after is None:
        return AgentDiff(name, before, after, None, (), (), (), ())
    confidence = before.get("confidence"), after.get("confidence")
    old, new = _list(before.get("citations")), _list(after.get("citations"))
    return AgentDiff(
        agent=name,
        before=before,
        after=after,
        confidence=None if same(*confidence) else confidence,
        fields=tuple(changes(_fields(before, everything=everything), _fields(after, everything=everything))),
        reasoning=_prose(before.get("reasoning"), after.get("reasoning")),
        citations_removed=_missing(old, new),
        citations_added=_missing(new, old),
    )


def _fields(document: Document, *, everything: bool) -> dict[str, Any]:
    if everything:
        return {name: document[name] for name in document.keys() - _ALWAYS_DIFFERENT - _COMPARED_SEPARATELY}
    metadata = metadata_of(document)
    return {
        "recommendation": document.get("recommendation"),
        "metadata": {name: metadata[name] for name in _CONCLUSIONS if name in metadata},
    }


def _prose(before: Any, after: Any) -> tuple[str, ...]:
    old, new = (
        _SENTENCE_END.split(text if isinstance(text, str) else canonical_text(text)) for text in (before, after)
    )
    lines = list(unified_diff([part for part in old if part], [part for part in new if part], n=1, lineterm=""))
    return tuple(lines[2:])  # without the two lines that name files


def _missing(entries: Sequence[Any], others: Sequence[Any]) -> tuple[Any, ...]:
    """Return the entries that `others` lacks; one that occurs more often counts for each occurrence too many."""
    left = [canonical_text(other) for other in others]
    missing = []
    for entry in entries:
        text = canonical_text(entry)
        if text in left:
            left.remove(text)
        else:
            missing.append(entry)
    return tuple(missing)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_json(before: str, after: str, agents: Sequence[AgentDiff]) -> dict[str, Any]:
    """Return the comparison of two execution IDs as plain JSON values for other programs."""
    return {
        "before": before,
        "after": after,
        "equal": all(agent.equal for agent in agents),
        "agents": [
            {
                "agentType": agent.agent,
                "result": _result(agent),
                "before": agent.before and agent.before.get("recommendationId"),
                "after": agent.after and agent.after.get("recommendationId"),
                "confidence": agent.confidence and dict(zip(("before", "after"), agent.confidence, strict=True)),
                "fields": [change._asdict() for change in agent.fields],
                "reasoning": list(agent.reasoning),
                "citations": {"removed": list(agent.citations_removed), "added": list(agent.citations_added)},
            }
            for agent in agents
        ],
    }


def _result(agent: AgentDiff) -> str:
    if agent.after is None:
        return "only-before"
    if agent.before is None:
        return "only-after"
    return "equal" if agent.equal else "changed"
