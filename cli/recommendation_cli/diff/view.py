"""How `recs diff` shows differences on a terminal."""

from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from recommendation_cli.diff.comparison import AgentDiff
from recommendation_cli.diff.json_changes import Change
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import summarise
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.wording import plural

_MOST_LINES: Final = 24  # of one agent's fields, and of its reasoning; the JSON output has all of them
_MOST_TEXT: Final = 400  # characters of a value; no terminal line is longer
_STYLES: Final = {"-": "red", "+": "green"}


def print_side(console: Console, sign: str, execution_id: str, documents: list[Document]) -> None:
    """Print which execution a sign stands for, and how much it holds."""
    _print(console, Text(f"{sign * 3} {visible(execution_id)}", style=f"bold {_STYLES[sign]}"))
    last = summarise(documents[-1]).timestamp[:19].replace("T", " ")
    _print(console, Text(f"    {plural(len(documents), 'recommendation')}, the last at {last} UTC", style="dim"))


def render_diff(console: Console, agents: list[AgentDiff]) -> None:
    """Print what changed, agent by agent, and which agents did not change."""
    for agent in agents:
        if agent.before is None or agent.after is None:
            sign = "+" if agent.before is None else "-"
            headline = summarise(agent.after or agent.before or {}).headline
            _print(
                console, Text(f"\n{sign} {visible(agent.agent)}: only in this execution", style=f"bold {_STYLES[sign]}")
            )
            _print(console, Text(f"    {headline}"))
        elif not agent.equal:
            _print(console, Text(f"\n{visible(agent.agent)}", style="bold"))
            _render_agent(console, agent)
    equal = [visible(agent.agent) for agent in agents if agent.equal]
    if equal:
        console.print()
        console.print(Text(f"No difference: {', '.join(equal)}", style="dim"))


def _render_agent(console: Console, agent: AgentDiff) -> None:
    if agent.confidence is not None:
        _print(console, Text.assemble("  confidence  ", *_arrow(*map(_value, agent.confidence))))
    lines = [line for change in agent.fields for line in _change_lines(change, console.width)]
    _print_some(console, lines)
    if agent.reasoning:
        _print(console, Text("  reasoning"))
        # unified_diff marks skipped sentences by their numbers, which mean nothing to a reader.
        texts = ["…" if line.startswith("@") else visible(line) for line in agent.reasoning[1:]]
        _print_some(console, [Text(text, style=_STYLES.get(text[0], "")) for text in texts], prose=True)
    for sign, citations in (("-", agent.citations_removed), ("+", agent.citations_added)):
        lines = [Text(f"  {sign} citation  {_citation(citation)}", style=_STYLES[sign]) for citation in citations]
        _print_some(console, lines)


def _change_lines(change: Change, width: int) -> list[Text]:
    """Return one line if path and values fit on it, otherwise the path with the values below it."""
    path = visible(change.path)
    if change.kind == "changed":
        old, new = _value(change.before), _value(change.after)
        one_line = Text.assemble(f"  ~ {path}  ", *_arrow(old, new))
        below = [Text(f"  ~ {path}"), Text(f"    - {old}", _STYLES["-"]), Text(f"    + {new}", _STYLES["+"])]
    else:
        sign, value = ("+", _value(change.after)) if change.kind == "added" else ("-", _value(change.before))
        one_line = Text(f"  {sign} {path}  {value}", _STYLES[sign])
        below = [Text(f"  {sign} {path}", _STYLES[sign]), Text(f"      {value}", _STYLES[sign])]
    return [one_line] if one_line.cell_len <= width else below


def _print_some(console: Console, lines: list[Text], *, prose: bool = False) -> None:
    for line in lines[:_MOST_LINES]:
        if prose and console.is_terminal:
            console.print(Padding(line, (0, 0, 0, 4)))  # wrapped: a truncated sentence cannot be compared
        elif prose:
            console.print(Text("    ").append_text(line), soft_wrap=True)
        else:
            _print(console, line)
    if len(lines) > _MOST_LINES:
        _print(console, Text(f"    … {len(lines) - _MOST_LINES} more: see -o json", style="dim"))


def _arrow(old: str, new: str) -> list[tuple[str, str]]:
    return [(old, _STYLES["-"]), (" → ", "dim"), (new, _STYLES["+"])]


def _value(value: Any) -> str:
    return "none" if value is None else visible(canonical_text(value)[:_MOST_TEXT])


def _citation(citation: Any) -> str:
    """Return a citation's title and URL, or all of it if it has neither."""
    named = citation if isinstance(citation, dict) else {}
    parts = [named[name] for name in ("title", "url") if isinstance(named.get(name), str)]
    return visible(" · ".join(parts)[:_MOST_TEXT]) if parts else _value(citation)


def _print(console: Console, line: Text) -> None:
    console.print(line, no_wrap=True, overflow="ellipsis")
