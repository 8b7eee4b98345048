"""What a replay changed, agent by agent, in words; the exact changes are folded."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from recommendation_cli.diff.comparison import AgentDiff
from recommendation_cli.diff.json_changes import Change
from recommendation_cli.report.markup import Child, Html, element, fragment
from recommendation_cli.report.values import Folding, citations_html, plain, readable
from recommendation_shared.wording import plural

_MOST_CHANGES: Final = 40  # of one agent; recs diff -o json has all of them
_MOST_OF_ONE_FIELD: Final = 3  # more changes within a field are only counted
_POSITION: Final = "no. "  # of an entry in a list, counted from 1
_LONGEST: Final = 80  # characters of a value within a sentence


def comparison_html(
    agents: Iterable[AgentDiff], folding: Folding, sides: tuple[str, str] = ("the original", "the replay")
) -> Html:
    """Return what changed from one execution to another, agent by agent; `sides` names both."""
    parts: list[Child] = []
    for agent in agents:
        if agent.before is None or agent.after is None:
            which = sides[1] if agent.before is None else sides[0]
            parts.append(element("p", element("b", agent.agent), f": only in {which}"))
        elif not agent.equal:
            parts.append(element("p", element("b", agent.agent), ":"))
            parts.append(element("ul", *(element("li", words) for words in in_words(agent))))
            count = len(agent.fields)
            parts.append(folding.fold(f"Exactly ({plural(count, 'field')}, by JSON Pointer)", _exactly(agent, folding)))
    return fragment(*parts) if parts else element("p", "No agent changed its output.")


def in_words(agent: AgentDiff) -> Iterator[str]:
    """Yield one clause for each thing that changed."""
    if agent.confidence is not None:
        yield _confidence(*agent.confidence)
    for field, grouped in groupby(agent.fields, key=lambda change: tuple(_steps(change)[:1])):
        changes = list(grouped)
        if len(changes) > _MOST_OF_ONE_FIELD:
            yield f"{field[0] if field else 'it'} changed in {plural(len(changes), 'place')}"
        else:
            yield from map(_change, changes)
    if agent.reasoning:
        removed, added = (sum(line.startswith(sign) for line in agent.reasoning) for sign in "-+")
        counts = (("lost", removed), ("gained", added))
        yield "the reasoning " + " and ".join(f"{verb} {plural(count, 'sentence')}" for verb, count in counts if count)
    for verb, citations in (("dropped", agent.citations_removed), ("added", agent.citations_added)):
        if citations:
            yield f"{verb} {plural(len(citations), 'citation')}: {_titles(citations)}"


def _confidence(before: Any, after: Any) -> str:
    if before is None or after is None:
        return f"confidence was {'none' if before is None else before}, and is {'none' if after is None else after}"
    try:
        verb = "rose" if after > before else "fell"
    except TypeError:  # written by hand: text
        verb = "went"
    return f"confidence {verb} from {before} to {after}"


def _change(change: Change) -> str:
    steps = _steps(change)
    name = " / ".join(steps) or "the recommendation"
    if change.kind != "changed" and len(steps) > 1 and steps[-1].startswith(_POSITION):
        verb, value = ("gained", change.after) if change.kind == "added" else ("lost", change.before)
        return f"{' / '.join(steps[:-1])} {verb} {_short(value)}"
    match change.kind:
        case "added":
            return f"{name} is new: {_short(change.after)}"
        case "removed":
            return f"{name} is gone; it was {_short(change.before)}"
        case _:
            return f"{name} changed from {_short(change.before)} to {_short(change.after)}"


def _steps(change: Change) -> list[str]:
    """Return the way to a field in words, without `recommendation` or `metadata` at its start."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in change.path.split("/")[2:]]
    return [f"{_POSITION}{int(step) + 1}" if step.isascii() and step.isdecimal() else readable(step) for step in steps]


def _short(value: Any) -> str:
    if isinstance(value, dict | list):
        return plural(len(value), "field") if isinstance(value, dict) else plural(len(value), "entry", "entries")
    text = plain(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _titles(citations: Sequence[Any]) -> str:
    titles = [citation.get("title") if isinstance(citation, dict) else None for citation in citations]
    return ", ".join(_short(title or citation) for title, citation in zip(titles, citations, strict=True))


def _exactly(agent: AgentDiff, folding: Folding) -> Html:
    parts: list[Child] = []
    rows = [
        element("tr", element("th", change.path, scope="row"), _sides(change, folding))
        for change in agent.fields[:_MOST_CHANGES]
    ]
    if rows:
        parts.append(element("table", element("tbody", *rows), class_="changes"))
    if len(agent.fields) > _MOST_CHANGES:
        parts.append(element("p", f"… {len(agent.fields) - _MOST_CHANGES} more: see recs diff -o json", class_="dim"))
    marks = {"-": "del", "+": "ins", " ": "div", "@": "div"}
    lines = (element(marks[line[0]], "…" if line[0] == "@" else line[1:]) for line in agent.reasoning[1:])
    parts.append(element("div", *lines, class_="prose"))
    for mark, citations in (("del", agent.citations_removed), ("ins", agent.citations_added)):
        parts += [element(mark, "citation ", citations_html([citation], folding)) for citation in citations]
    return fragment(*parts)


def _sides(change: Change, folding: Folding) -> Html:
    removed = element("del", folding.value(change.before, 2)) if change.kind != "added" else ""
    added = element("ins", folding.value(change.after, 2)) if change.kind != "removed" else ""
    return element("td", removed, added)
