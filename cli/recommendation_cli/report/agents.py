"""The parts of the report about agents: what each said, what the consensus concluded, what a replay changed."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from recommendation_cli.diff.comparison import AgentDiff
from recommendation_cli.diff.json_changes import Change
from recommendation_cli.report.markup import Child, Html, element, fragment
from recommendation_cli.report.values import citations_html, prose, readable, value_html
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import warnings
from recommendation_cli.timeline.executions import Moment, duration_text
from recommendation_shared.envelope.fields import RAW_CONFIDENCE
from recommendation_shared.item.attribute_value import encode_map
from recommendation_shared.item.encoding import item_digest
from recommendation_shared.item.trim import TRUNCATED

_SHOWN_ELSEWHERE: Final = frozenset({"status", "durationMs", "error", TRUNCATED, RAW_CONFIDENCE})
_AGREEMENT: Final = ("agreement_level", "conflicts_detected", "minority_opinions", "unified_recommendation")
_MOST_CHANGES: Final = 40  # of one agent; recs diff -o json has all of them


def agent_html(moment: Moment, anchor: str, same_as: str | None) -> Html:
    """Return everything one agent said; `same_as` is the anchor of an equal output in the original execution."""
    summary, document = moment.summary, moment.document
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    facts: list[Child] = [status_html(moment), " · confidence ", confidence_html(moment), f" · {summary.timestamp}"]
    if moment.duration is not None:
        facts.append(f" · took {duration_text(moment.duration)}")
    parts: list[Child] = [element("h3", summary.agent_type), element("p", *facts), *_warnings(document)]
    if same_as is not None:
        parts.append(
            element("p", "Same output as in the ", element("a", "original execution", href=f"#{same_as}"), ".")
        )
        return element("article", *parts, id=anchor)
    if "error" in metadata:
        parts += [element("h4", "Error"), value_html(metadata["error"])]
    if document.get("reasoning"):
        parts += [element("h4", "Reasoning"), prose(str(document["reasoning"]))]
    rest = {name: value for name, value in metadata.items() if name not in _SHOWN_ELSEWHERE}
    parts += [
        element("h4", "Recommendation"),
        value_html(document.get("recommendation")),
        element("h4", "Citations"),
        citations_html(document.get("citations")),
        element("details", element("summary", "Metadata"), value_html(rest)),
        element("p", element("code", summary.recommendation_id), class_="dim"),
    ]
    return element("article", *parts, id=anchor)


def status_html(moment: Moment) -> Html:
    """Return how the agent ended; a failure is marked by more than its colour."""
    if moment.failed:
        return element("span", f"✗ {moment.summary.status}", class_="bad")
    return element("span", f"✓ {moment.summary.status.lower() or 'completed'}", class_="good")


def confidence_html(moment: Moment) -> Html:
    """Return the confidence with two decimals, or `odd` or `none` if it is unusable or missing."""
    summary = moment.summary
    if summary.confidence is None:
        return element(
            "span", "odd" if summary.odd_confidence else "none", class_="warn" if summary.odd_confidence else "dim"
        )
    return element("span", f"{summary.confidence:.2f}", class_="number")


def _warnings(document: Document) -> Iterator[Html]:
    if item_digest(json.loads(encode_map(document))) != document.get("contentDigest"):
        text = "✗ The content does not match its digest: it is not what the consumer wrote."
        yield element("p", text, class_="bad")
    for warning in warnings(document):
        yield element("p", warning, class_="warn")


def agreement_html(consensus: Moment) -> Html:
    """Return what the agents agreed on, where they disagreed, and which opinions were overruled."""
    recommendation = consensus.document.get("recommendation")
    said = recommendation if isinstance(recommendation, dict) else {"recommendation": recommendation}
    parts: list[Child] = [
        element("p", "Agreement: ", element("b", str(said.get("agreement_level", "not stated")))),
        element("h3", "Recommended"),
        value_html(said.get("unified_recommendation")),
        element("h3", "Conflicts"),
        *_conflicts(said.get("conflicts_detected")),
        element("h3", "Minority opinions"),
        *_minority(said.get("minority_opinions")),
    ]
    rest = {name: value for name, value in said.items() if name not in _AGREEMENT}
    if rest:
        parts.append(element("details", element("summary", "How it was weighed"), value_html(rest)))
    return fragment(*parts)


def _conflicts(detected: Any) -> Iterator[Html]:
    if not detected:
        yield element("p", "None detected.", class_="dim")
        return
    for conflict in detected if isinstance(detected, list) else [detected]:
        positions = conflict.get("positions") if isinstance(conflict, dict) else None
        if not isinstance(positions, dict):
            yield value_html(conflict)
            continue
        rows = (
            element("tr", element("th", answer, scope="row"), element("td", _names(agents)))
            for answer, agents in positions.items()
        )
        yield element("p", f"On {readable(str(conflict.get('question', 'a question')))}:")
        yield element("table", element("tbody", *rows), class_="fields")


def _minority(opinions: Any) -> Iterator[Html]:
    if not opinions:
        yield element("p", "None.", class_="dim")
    elif isinstance(opinions, list) and all(
        isinstance(opinion, dict) and {"agent_id", "answer"} <= opinion.keys() for opinion in opinions
    ):
        yield element("ul", *(element("li", _opinion(opinion)) for opinion in opinions))
    else:
        yield value_html(opinions)


def _opinion(opinion: dict[str, Any]) -> str:
    topic = f" on {readable(str(opinion['question']))}" if "question" in opinion else ""
    confidence = f" (confidence {opinion['confidence']})" if opinion.get("confidence") is not None else ""
    return f"{opinion['agent_id']}{topic}: {opinion['answer']}{confidence}"


def _names(agents: Any) -> str:
    return ", ".join(map(str, agents)) if isinstance(agents, list) else str(agents)


def comparison_html(agents: Iterable[AgentDiff]) -> Html:
    """Return what a replay changed, agent by agent."""
    parts: list[Child] = []
    for agent in agents:
        if agent.before is None or agent.after is None:
            which = "in the replay" if agent.before is None else "in the original"
            parts.append(element("p", element("b", agent.agent), f": only {which}"))
        elif not agent.equal:
            parts += [element("h4", agent.agent), *_changes(agent)]
    return fragment(*parts) if parts else element("p", "No agent changed its output.")


def _changes(agent: AgentDiff) -> Iterator[Html]:
    if agent.confidence is not None:
        old, new = ("none" if value is None else str(value) for value in agent.confidence)
        yield element("p", f"confidence {old} → {new}")
    rows = [element("tr", element("th", change.path, scope="row"), _sides(change)) for change in agent.fields]
    if rows:
        yield element("table", element("tbody", *rows[:_MOST_CHANGES]), class_="changes")
    if len(rows) > _MOST_CHANGES:
        yield element("p", f"… {len(rows) - _MOST_CHANGES} more: see recs diff -o json", class_="dim")
    marks = {"-": "del", "+": "ins", " ": "div", "@": "div"}
    lines = (element(marks[line[0]], "…" if line[0] == "@" else line[1:]) for line in agent.reasoning[1:])
    yield element("div", *lines, class_="prose")
    for mark, citations in (("del", agent.citations_removed), ("ins", agent.citations_added)):
        for citation in citations:
            yield element(mark, "citation ", citations_html([citation]))


def _sides(change: Change) -> Html:
    removed = element("del", value_html(change.before, 2)) if change.kind != "added" else ""
    added = element("ins", value_html(change.after, 2)) if change.kind != "removed" else ""
    return element("td", removed, added)
