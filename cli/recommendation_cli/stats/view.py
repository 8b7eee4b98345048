"""How statistics look: a row for each agent, then for each version and model; and as records for other programs."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from recommendation_cli.calibration.records import detailed, measured
from recommendation_cli.calibration.view import print_track_records
from recommendation_cli.screen.table import Cell, Column, Row, print_table
from recommendation_cli.screen.visible import visible
from recommendation_cli.stats.collect import Group, Tallies
from recommendation_cli.stats.tally import Tally, percentile, quartiles
from recommendation_cli.timeline.executions import duration_text

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_DIGITS: Final = "01234567"
_WIDE: Final = 150  # columns
_NARROW: Final = ("count", "failed", "confidence", "spread", "agrees")
_NUMBERS: Final = ("count", "failed", "timed out", "confidence", "spread", "agrees", "p50", "p95", "tokens", "cost")
_MEASURED: Final = tuple(Column(name, right=True) for name in _NUMBERS)
_AGENT: Final = Column("agent", least=12, most=40)


def render(console: Console, now: Tallies, before: Tallies) -> None:
    """Print the tables; on a narrow terminal, with less in columns and the rest in words below each row."""
    layout = _in_columns if console.width >= _WIDE else _stacked
    agents = [
        _Line((visible(agent),), tally, (_course(console, tally),), trend_text(tally, before.agents.get(agent)))
        for agent, tally in sorted(now.agents.items())
    ]
    total, trend = (_course(console, now.everything),), trend_text(now.everything, before.everything)
    agents.append(_Line((Text("all", style="bold"),), now.everything, total, trend))
    columns = (_AGENT, *_MEASURED, Column("over time"), Column("against the period before", least=20))
    layout(console, columns, agents)
    console.print()
    groups = [
        _Line((visible(group.agent_type), visible(group.agent_version)), tally, (), visible(group.model))
        for group, tally in sorted(now.groups.items())
    ]
    layout(console, (_AGENT, Column("version", least=7, most=24), *_MEASURED, Column("model", least=8)), groups)
    if now.everything.track.verdicts:
        agent_tracks = ((agent, tally.track) for agent, tally in sorted(now.agents.items()))
        group_tracks = ((group, tally.track) for group, tally in sorted(now.groups.items()))
        print_track_records(console, agent_tracks, group_tracks, now.everything.track, now.everything.count)


class _Line(NamedTuple):
    """What a tally is of, the tally, its course if there is a column for it, and the last cell."""

    labels: tuple[Cell, ...]
    tally: Tally
    course: tuple[Cell, ...]
    words: str


def _in_columns(console: Console, columns: Sequence[Column], lines: Sequence[_Line]) -> None:
    rows = [Row([*line.labels, *_numbers(line.tally).values(), *line.course, line.words]) for line in lines]
    print_table(console, columns, rows, fold=None)


def _stacked(console: Console, columns: Sequence[Column], lines: Sequence[_Line]) -> None:
    """Print the numbers that matter most in columns, and each row's others below it."""
    *others, last = columns
    rows = []
    for line in lines:
        numbers = _numbers(line.tally)
        below = [f"{name} {number}" for name, number in numbers.items() if name not in _NARROW and str(number)]
        if line.words:
            below.append(f"{last.title}: {line.words}")
        cells = [*line.labels, *(numbers[name] for name in _NARROW), *line.course]
        rows.append(Row(cells, below=_wrapped(below, console)))
    shown = [column for column in others if column not in _MEASURED or column.title in _NARROW]
    print_table(console, shown, rows)


def _wrapped(parts: Iterable[str], console: Console) -> list[Text]:
    """Return lines that break between the parts, where they would be too long."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(f"{lines[-1]} · {part}") <= console.width:
            lines[-1] += f" · {part}"
        else:
            lines.append(f"    {part}")
    return [Text(line, style="dim") for line in lines]


def records(now: Tallies, before: Tallies, *, has_reviews: bool) -> list[dict[str, Any]]:
    """Return a record for all agents together, one for each agent, and one for each version and model of an agent.

    `agentType` is null for all together; `agentVersion` and `model` are null unless the record is for one of each.
    What is about verdicts is null without `has_reviews`: they could not be read.
    """
    rows: list[tuple[Group | Sequence[str | None], Tally, Tally]] = [
        ((None, None, None), now.everything, before.everything),
        *(
            ((agent, None, None), tally, before.agents.get(agent, Tally()))
            for agent, tally in sorted(now.agents.items())
        ),
        *((group, tally, before.groups.get(group, Tally())) for group, tally in sorted(now.groups.items())),
    ]
    return [_record(group, tally, previous, has_reviews=has_reviews) for group, tally, previous in rows]


def _record(group: Group | Sequence[str | None], tally: Tally, before: Tally, *, has_reviews: bool) -> dict[str, Any]:
    agent, version, model = group
    (said, details), (said_before, _) = (
        [values if has_reviews else dict.fromkeys(values) for values in (measured(each), detailed(each))]
        for each in (tally.track, before.track)
    )
    previous = {**_measured(before), **said_before}
    return {
        "agentType": agent,
        "agentVersion": version,
        "model": model,
        **_measured(tally),
        "confidenceOverTime": tally.medians(),
        **said,
        **details,
        **{f"previous{name[:1].upper()}{name[1:]}": value for name, value in previous.items()},
    }


def _measured(tally: Tally) -> dict[str, Any]:
    spread = quartiles(tally.confidences)
    return {
        "count": tally.count,
        "failed": tally.failed,
        "timedOut": tally.timed_out,
        "confidenceMedian": None if spread is None else spread.median,
        "confidenceFirstQuartile": None if spread is None else spread.first,
        "confidenceThirdQuartile": None if spread is None else spread.third,
        "agreement": tally.agreement,
        "durationP50Ms": percentile(tally.durations, 50),
        "durationP95Ms": percentile(tally.durations, 95),
        "tokens": tally.tokens,
        "usd": round(tally.usd, 6),
    }


def _numbers(tally: Tally) -> dict[str, Cell]:
    spread = quartiles(tally.confidences)
    cells: tuple[Cell, ...] = (
        f"{tally.count:,}",
        Text(f"{tally.failed:,}", style="red" if tally.failed else "dim"),
        Text(f"{tally.timed_out:,}", style="yellow" if tally.timed_out else "dim"),
        "" if spread is None else f"{spread.median:.2f}",
        "" if spread is None else f"{spread.first:.2f}-{spread.third:.2f}",
        "" if tally.agreement is None else f"{tally.agreement:.0%}",
        _duration(percentile(tally.durations, 50)),
        _duration(percentile(tally.durations, 95)),
        f"{tally.tokens:,}",
        f"${tally.usd:,.4f}",
    )
    return dict(zip(_NUMBERS, cells, strict=True))


def _duration(milliseconds: float | None) -> str:
    return "" if milliseconds is None else duration_text(timedelta(milliseconds=milliseconds))


def _course(console: Console, tally: Tally) -> Text:
    """Return the median confidence in each part of the period, oldest first; blank where there is none."""
    levels = _DIGITS if console.options.ascii_only else _BLOCKS
    marks = (" " if value is None else levels[min(int(value * 8), 7)] for value in tally.medians())
    return Text("".join(marks), style="cyan")


def trend_text(now: Tally, before: Tally | None) -> str:
    """Return how a tally differs from that of the period before, in words."""
    if before is None or not before.count:
        return "new"
    was, spread = quartiles(before.confidences), quartiles(now.confidences)
    parts = [f"count {(now.count - before.count) / before.count:+.0%}"]
    parts.append(f"failed {now.failed / now.count - before.failed / before.count:+.0%}" if now.count else "")
    if was is not None and spread is not None:
        parts.append(f"confidence {spread.median - was.median:+.2f}")
    if before.usd:
        parts.append(f"cost {(now.usd - before.usd) / before.usd:+.0%}")
    return ", ".join(filter(None, parts))
