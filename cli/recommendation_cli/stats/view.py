"""How statistics look: a row for each agent, then for each version and model; and as records for other programs."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.screen.table import Cell, Column, Row, print_table
from recommendation_cli.screen.visible import visible
from recommendation_cli.stats.collect import Group, Totals
from recommendation_cli.stats.tally import Tally, percentile, quartiles
from recommendation_cli.timeline.executions import duration_text

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_DIGITS: Final = "01234567"
_NUMBERS: Final = ("count", "failed", "timed out", "confidence", "spread", "agrees", "p50", "p95", "tokens", "cost")


def render(console: Console, now: Totals, before: Totals) -> None:
    """Print both tables."""
    columns = [
        Column("agent", least=12, most=40),
        *(Column(name, right=True) for name in _NUMBERS),
        Column("confidence over time"),
        Column("against the period before", least=20),
    ]
    rows = [
        Row([visible(agent), *_numbers(tally), _course(console, tally), _trend(tally, before.agents.get(agent))])
        for agent, tally in sorted(now.agents.items())
    ]
    total = [*_numbers(now.everything), _course(console, now.everything), _trend(now.everything, before.everything)]
    print_table(console, columns, [*rows, Row([Text("all", style="bold"), *total])], fold=None)
    columns = [
        Column("agent", least=12, most=40),
        Column("version", least=8, most=24),
        *(Column(name, right=True) for name in _NUMBERS),
        Column("model", least=8, most=40),
    ]
    console.print()
    rows = [
        Row([visible(group.agent_type), visible(group.agent_version), *_numbers(tally), visible(group.model)])
        for group, tally in sorted(now.groups.items())
    ]
    print_table(console, columns, rows, fold=None)


def records(now: Totals, before: Totals) -> list[dict[str, Any]]:
    """Return a record for all agents together, one for each agent, and one for each version and model of an agent.

    `agentType` is null for all together; `agentVersion` and `model` are null unless the record is for one of each.
    """
    return [
        _record((None, None, None), now.everything, before.everything),
        *(
            _record((agent, None, None), tally, before.agents.get(agent, Tally()))
            for agent, tally in sorted(now.agents.items())
        ),
        *(_record(group, tally, before.groups.get(group, Tally())) for group, tally in sorted(now.groups.items())),
    ]


def _record(group: Group | Sequence[str | None], tally: Tally, before: Tally) -> dict[str, Any]:
    agent, version, model = group
    return {
        "agentType": agent,
        "agentVersion": version,
        "model": model,
        **_measured(tally),
        "confidenceOverTime": tally.medians(),
        **{f"previous{name[:1].upper()}{name[1:]}": value for name, value in _measured(before).items()},
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
        "agreement": tally.agreed / tally.judged if tally.judged else None,
        "durationP50Ms": percentile(tally.durations, 50),
        "durationP95Ms": percentile(tally.durations, 95),
        "tokens": tally.tokens,
        "usd": round(tally.usd, 6),
    }


def _numbers(tally: Tally) -> Iterator[Cell]:
    spread = quartiles(tally.confidences)
    yield f"{tally.count:,}"
    yield Text(f"{tally.failed:,}", style="red" if tally.failed else "dim")
    yield Text(f"{tally.timed_out:,}", style="yellow" if tally.timed_out else "dim")
    yield "" if spread is None else f"{spread.median:.2f}"
    yield "" if spread is None else f"{spread.first:.2f}-{spread.third:.2f}"
    yield f"{tally.agreed / tally.judged:.0%}" if tally.judged else ""
    yield _duration(percentile(tally.durations, 50))
    yield _duration(percentile(tally.durations, 95))
    yield f"{tally.tokens:,}"
    yield f"${tally.usd:,.4f}"


def _duration(milliseconds: float | None) -> str:
    return "" if milliseconds is None else duration_text(timedelta(milliseconds=milliseconds))


def _course(console: Console, tally: Tally) -> Text:
    """Return the median confidence in each part of the period, oldest first; blank where there is none."""
    levels = _DIGITS if console.options.ascii_only else _BLOCKS
    marks = (" " if value is None else levels[min(int(value * 8), 7)] for value in tally.medians())
    return Text("".join(marks), style="cyan")


def _trend(now: Tally, before: Tally | None) -> str:
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
