"""`recs diff`: two executions beside each other."""

import sys
from typing import Any, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from recommendation_cli.aws.errors import NothingFoundError, NothingToCompareError
from recommendation_cli.diff.comparison import AgentDiff, as_json, compare
from recommendation_cli.diff.json_changes import Change
from recommendation_cli.options import ListOptions, ReadOptions
from recommendation_cli.output import pretty_json, write_records
from recommendation_cli.reading.summary import summarise
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.source import Source
from recommendation_cli.timeline.runs import runs
from recommendation_shared.exact_json.canonical import canonical_text

DIFFERENT: Final = 1  # exit code, as diff has it
_MOST_LINES: Final = 24  # of one agent's fields and of its reasoning; the JSON has them all
_MOST_TEXT: Final = 400  # characters of a value; no terminal line is longer
_STYLES: Final = {"-": "red", "+": "green"}


def show_diff(
    runtime: Runtime, executions: tuple[str, str | None], read: ReadOptions, listed: ListOptions, *, everything: bool
) -> None:
    """Print what changed from one execution to another, or, where only a replay is named, from its original to it.

    Ends with 1 when they differ. Raises `NothingToCompareError` when a side is missing.
    """
    source = Source(runtime, read)
    before, after = executions
    first = _execution(source, before, listed)
    if after is None:
        before, after = _original_of(before, first), before
        sides = _execution(source, before, listed), first
    else:
        sides = first, _execution(source, after, listed)
    agents = compare(*sides, everything=everything)
    if read.output == "json":
        sys.stdout.buffer.write(f"{pretty_json(as_json(before, after, agents))}\n".encode())
    elif read.output != "table":
        write_records(sys.stdout.buffer, as_json(before, after, agents)["agents"], read.output)
    else:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        for sign, name, documents in zip("-+", (before, after), sides, strict=True):
            _print(console, Text(f"{sign * 3} {visible(name)}", style=f"bold {_STYLES[sign]}"))
            _print(console, Text(f"    {_extent(documents)}", style="dim"))
        render_diff(console, agents)
    sys.stdout.flush()
    if not all(agent.equal for agent in agents):
        click.get_current_context().exit(DIFFERENT)


def _execution(source: Source, execution_id: str, listed: ListOptions) -> list[Document]:
    try:
        return source.fetch("executionId", execution_id, listed)
    except NothingFoundError as error:
        raise NothingToCompareError(error.message) from None


def _original_of(execution_id: str, documents: list[Document]) -> str:
    for run in runs(documents):
        if run.replay_of is not None:
            return run.replay_of
    raise NothingToCompareError(
        f"Execution {visible(execution_id)} does not say that it is a replay: name both executions."
    )


def _extent(documents: list[Document]) -> str:
    last = summarise(documents[-1]).timestamp[:19].replace("T", " ")
    return f"recommendations: {len(documents)}, the last at {last} UTC"


def render_diff(console: Console, agents: list[AgentDiff]) -> None:
    """Print what changed, agent by agent, and who did not change."""
    for agent in agents:
        if agent.before is None or agent.after is None:
            sign = "+" if agent.before is None else "-"
            said = summarise(agent.after or agent.before or {}).headline
            _print(console, Text(f"\n{sign} {visible(agent.agent)}: only there", style=f"bold {_STYLES[sign]}"))
            _print(console, Text(f"    {said}"))
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
    _some(console, lines)
    if agent.reasoning:
        _print(console, Text("  reasoning"))
        # Where a part that is equal was left out, the line numbers of sentences would mean nothing to a reader.
        texts = ["…" if line.startswith("@") else visible(line) for line in agent.reasoning[1:]]
        _some(console, [Text(text, style=_STYLES.get(text[0], "")) for text in texts], prose=True)
    for sign, citations in (("-", agent.citations_removed), ("+", agent.citations_added)):
        lines = [Text(f"  {sign} citation  {_citation(citation)}", style=_STYLES[sign]) for citation in citations]
        _some(console, lines)


def _change_lines(change: Change, width: int) -> list[Text]:
    """Return one line where path and values fit, else the path with the values below it."""
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


def _some(console: Console, lines: list[Text], *, prose: bool = False) -> None:
    for line in lines[:_MOST_LINES]:
        if prose and console.is_terminal:
            console.print(Padding(line, (0, 0, 0, 4)))  # wrapped: a sentence that was cut cannot be compared
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
    """Return what tells a citation apart: its title and its address, and else all of it."""
    named = citation if isinstance(citation, dict) else {}
    parts = [named[name] for name in ("title", "url") if isinstance(named.get(name), str)]
    return visible(" · ".join(parts)[:_MOST_TEXT]) if parts else _value(citation)


def _print(console: Console, line: Text) -> None:
    console.print(line, no_wrap=True, overflow="ellipsis")
