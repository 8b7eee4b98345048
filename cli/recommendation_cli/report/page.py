"""The page for a post-incident review: one file that needs no network and runs no script."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Final

from recommendation_cli.diff.comparison import AgentDiff, compare
from recommendation_cli.report.agents import agent_html, agreement_html, comparison_html, confidence_html, status_html
from recommendation_cli.report.charts import bar, confidence_chart
from recommendation_cli.report.markup import Child, Html, element, fragment
from recommendation_cli.screen.words import plural
from recommendation_cli.timeline.runs import Moment, Run, duration_text, pause_between
from recommendation_shared.envelope.identity import EPOCH
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

CONSENSUS: Final = KNOWN_AGENT_TYPES[-1]
_TEMPLATE: Final = Path(__file__).with_name("page.html")


def report_page(incident_id: str, runs: Sequence[Run], source: str, now: float, scope: str = "") -> str:
    """Return the page for at least one execution, the oldest first.

    `source` names the table, `now` is in epoch seconds, and `scope` says in words how the page is narrowed.
    """
    created = (EPOCH + timedelta(seconds=now)).strftime("%Y-%m-%d %H:%M UTC")
    moments = [moment for run in runs for moment in run.moments]
    sections = fragment(
        element(
            "header",
            element("h1", f"Agent recommendations: {incident_id}"),
            element(
                "p",
                f"{plural(len(moments), 'recommendation')} in {plural(len(runs), 'execution')}, from {source},"
                f" as of {created}",
                class_="dim",
            ),
            element("p", f"Not the whole incident: {scope}.", class_="note") if scope else "",
            element("p", "This page shows what AI agents advised: hypotheses, not findings.", class_="note"),
            _facts(runs),
        ),
        *_agreement(runs),
        element("section", element("h2", "Timeline"), *_timelines(runs)),
        element("section", element("h2", "Confidence"), *_numbered(runs), confidence_chart(runs)),
        *_replays(runs),
        element("section", element("h2", "What each agent said"), *_agents(runs)),
        element("footer", "Created by recs report. To see a recommendation in full: recs show ID."),
    )
    template = _TEMPLATE.read_text(encoding="utf-8")
    style = template.partition("<style>")[2].partition("</style>")[0]
    style_hash = "sha256-" + b64encode(sha256(style.encode()).digest()).decode()
    title = fragment(f"Agent recommendations: {incident_id}")
    return Template(template).substitute(title=title, style_hash=style_hash, content=sections)


def _facts(runs: Sequence[Run]) -> Html:
    moments = [moment for run in runs for moment in run.moments]
    failed = [moment for moment in moments if moment.failed]
    latest = _consensus(runs[-1])
    spans = [run.span for run in runs if run.span is not None]
    facts: list[tuple[str, Child]] = [
        ("confidence of the latest consensus", "none" if latest is None else confidence_html(latest)),
        ("executions", str(len(runs))),
        ("not successful", element("span", f"{len(failed)} of {len(moments)}", class_="bad" if failed else "good")),
    ]
    if spans:
        facts.append(
            ("from first to last", duration_text(max(end for _, end in spans) - min(start for start, _ in spans)))
        )
    return element(
        "div", *(element("div", name, element("b", value), class_="fact") for name, value in facts), class_="facts"
    )


def _consensus(run: Run) -> Moment | None:
    moments = [moment for moment in run.moments if moment.summary.agent_type == CONSENSUS]
    return moments[-1] if moments else None


def _agreement(runs: Sequence[Run]) -> list[Html]:
    """Return the section about the newest consensus, if there is one."""
    for run in reversed(runs):
        consensus = _consensus(run)
        if consensus is not None:
            source = element("p", f"From execution {run.execution_id}.", class_="dim") if len(runs) > 1 else ""
            return [element("section", element("h2", "Agreement and conflicts"), source, agreement_html(consensus))]
    return []


def _timelines(runs: Sequence[Run]) -> list[Html]:
    parts: list[Html] = []
    for position, run in enumerate(runs):
        pause = pause_between(runs[position - 1], run) if position else None
        if pause is not None:
            parts.append(element("p", f"{duration_text(pause)} until the next execution", class_="dim"))
        parts.append(element("h3", f"#{position + 1} {run.execution_id}"))
        parts.append(element("p", _extent(run), class_="dim"))
        rows = (_row(moment, run.span, _anchor(position, index)) for index, moment in enumerate(run.moments))
        titles = ("agent", "completed (UTC)", "took", "confidence", "status", "when")
        head = element("thead", element("tr", *(element("th", title, scope="col") for title in titles)))
        parts.append(element("table", head, element("tbody", *rows), class_="timeline"))
    return parts


def _extent(run: Run) -> str:
    extent = (
        "" if run.span is None else f"{run.span[0]:%Y-%m-%d %H:%M:%S} UTC, {duration_text(run.span[1] - run.span[0])}"
    )
    replay = "" if run.replay_of is None else f"replay of {run.replay_of}"
    return " · ".join(filter(None, (extent, replay)))


def _row(moment: Moment, span: tuple[datetime, datetime] | None, anchor: str) -> Html:
    took = "" if moment.duration is None else duration_text(moment.duration)
    return element(
        "tr",
        element("td", element("a", moment.summary.agent_type, href=f"#{anchor}")),
        element("td", moment.summary.timestamp[11:23], class_="number"),
        element("td", took, class_="number"),
        element("td", confidence_html(moment)),
        element("td", status_html(moment)),
        element("td", bar(moment, span)),
    )


def _numbered(runs: Sequence[Run]) -> list[Html]:
    if len(runs) == 1:
        return []
    return [
        element("p", ", ".join(f"#{number} {run.execution_id}" for number, run in enumerate(runs, 1)), class_="dim")
    ]


def _original(runs: Sequence[Run], run: Run) -> int | None:
    """Return the position of the execution that `run` replays, if this incident has it."""
    names = [other.execution_id for other in runs]
    return names.index(run.replay_of) if run.replay_of in names and run.replay_of != run.execution_id else None


def _compare_with(runs: Sequence[Run], original: int, run: Run) -> list[AgentDiff]:
    before, after = ([moment.document for moment in side.moments] for side in (runs[original], run))
    return compare(before, after)


def _replays(runs: Sequence[Run]) -> list[Html]:
    parts: list[Html] = []
    for run in runs:
        original = _original(runs, run)
        if original is not None:
            parts.append(element("h3", f"{run.replay_of} → {run.execution_id}"))
            parts.append(comparison_html(_compare_with(runs, original, run)))
    return [element("section", element("h2", "What the replay changed"), *parts)] if parts else []


def _agents(runs: Sequence[Run]) -> list[Html]:
    parts: list[Html] = []
    for position, run in enumerate(runs):
        if len(runs) > 1:
            parts.append(element("h3", f"#{position + 1} {run.execution_id}"))
        same = _same_as_original(runs, run)
        for index, moment in enumerate(run.moments):
            same_as = same.get(moment.summary.recommendation_id)
            parts.append(agent_html(moment, _anchor(position, index), same_as))
    return parts


def _same_as_original(runs: Sequence[Run], run: Run) -> dict[str, str]:
    """Return the anchors of equal outputs in the original, by the IDs of the replay's recommendations."""
    original = _original(runs, run)
    if original is None:
        return {}
    anchors = {
        str(moment.document.get("recommendationId")): _anchor(original, index)
        for index, moment in enumerate(runs[original].moments)
    }
    return {
        str(agent.after["recommendationId"]): anchors[str(agent.before["recommendationId"])]
        for agent in _compare_with(runs, original, run)
        if agent.equal and agent.before is not None and agent.after is not None
    }


def _anchor(run: int, moment: int) -> str:
    return f"output-{run + 1}-{moment + 1}"
