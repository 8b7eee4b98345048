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
from recommendation_cli.timeline.executions import Execution, Moment, duration_text, extent_text, pause_between
from recommendation_shared.envelope.identity import EPOCH
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.wording import plural

CONSENSUS: Final = KNOWN_AGENT_TYPES[-1]
_TEMPLATE: Final = Path(__file__).with_name("page.html")


def report_page(incident_id: str, executions: Sequence[Execution], source: str, now: float, scope: str = "") -> str:
    """Return the page for at least one execution, the oldest first.

    `source` names the table, `now` is in epoch seconds, and `scope` says in words how the page is narrowed.
    """
    created = (EPOCH + timedelta(seconds=now)).strftime("%Y-%m-%d %H:%M UTC")
    moments = [moment for execution in executions for moment in execution.moments]
    sections = fragment(
        element(
            "header",
            element("h1", f"Agent recommendations: {incident_id}"),
            element(
                "p",
                f"{plural(len(moments), 'recommendation')} in {plural(len(executions), 'execution')}, from {source},"
                f" as of {created}",
                class_="dim",
            ),
            element("p", f"Not the whole incident: {scope}.", class_="note") if scope else "",
            element("p", "This page shows what AI agents advised: hypotheses, not findings.", class_="note"),
            _facts(executions),
        ),
        *_agreement(executions),
        element("section", element("h2", "Timeline"), *_timelines(executions)),
        element("section", element("h2", "Confidence"), *_numbered(executions), confidence_chart(executions)),
        *_replays(executions),
        element("section", element("h2", "What each agent said"), *_agents(executions)),
        element("footer", "Created by recs report. To see a recommendation in full: recs show ID."),
    )
    template = _TEMPLATE.read_text(encoding="utf-8")
    style = template.partition("<style>")[2].partition("</style>")[0]
    style_hash = "sha256-" + b64encode(sha256(style.encode()).digest()).decode()
    title = fragment(f"Agent recommendations: {incident_id}")
    return Template(template).substitute(title=title, style_hash=style_hash, content=sections)


def _facts(executions: Sequence[Execution]) -> Html:
    moments = [moment for execution in executions for moment in execution.moments]
    failed = [moment for moment in moments if moment.failed]
    latest = _consensus(executions[-1])
    spans = [execution.span for execution in executions if execution.span is not None]
    facts: list[tuple[str, Child]] = [
        ("confidence of the latest consensus", "none" if latest is None else confidence_html(latest)),
        ("executions", str(len(executions))),
        ("not successful", element("span", f"{len(failed)} of {len(moments)}", class_="bad" if failed else "good")),
    ]
    if spans:
        facts.append(
            ("from first to last", duration_text(max(end for _, end in spans) - min(start for start, _ in spans)))
        )
    return element(
        "div", *(element("div", name, element("b", value), class_="fact") for name, value in facts), class_="facts"
    )


def _consensus(execution: Execution) -> Moment | None:
    moments = [moment for moment in execution.moments if moment.summary.agent_type == CONSENSUS]
    return moments[-1] if moments else None


def _agreement(executions: Sequence[Execution]) -> list[Html]:
    """Return the section about the newest consensus, if there is one."""
    for execution in reversed(executions):
        consensus = _consensus(execution)
        if consensus is not None:
            is_one_of_many = len(executions) > 1
            source = element("p", f"From execution {execution.execution_id}.", class_="dim") if is_one_of_many else ""
            return [element("section", element("h2", "Agreement and conflicts"), source, agreement_html(consensus))]
    return []


def _timelines(executions: Sequence[Execution]) -> list[Html]:
    parts: list[Html] = []
    for position, execution in enumerate(executions):
        pause = pause_between(executions[position - 1], execution) if position else None
        if pause is not None:
            parts.append(element("p", f"{duration_text(pause)} until the next execution", class_="dim"))
        parts.append(element("h3", f"#{position + 1} {execution.execution_id}"))
        parts.append(element("p", _extent(execution), class_="dim"))
        rows = (
            _row(moment, execution.span, _anchor(position, index)) for index, moment in enumerate(execution.moments)
        )
        titles = ("agent", "completed (UTC)", "took", "confidence", "status", "when")
        head = element("thead", element("tr", *(element("th", title, scope="col") for title in titles)))
        parts.append(element("table", head, element("tbody", *rows), class_="timeline"))
    return parts


def _extent(execution: Execution) -> str:
    replay = "" if execution.replay_of is None else f"replay of {execution.replay_of}"
    return " · ".join(filter(None, (extent_text(execution), replay)))


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


def _numbered(executions: Sequence[Execution]) -> list[Html]:
    if len(executions) == 1:
        return []
    names = (f"#{number} {execution.execution_id}" for number, execution in enumerate(executions, 1))
    return [element("p", ", ".join(names), class_="dim")]


def _original(executions: Sequence[Execution], execution: Execution) -> int | None:
    """Return the position of the execution that this one replays, if the incident has it."""
    names = [other.execution_id for other in executions]
    if execution.replay_of not in names or execution.replay_of == execution.execution_id:
        return None
    return names.index(execution.replay_of)


def _compare_with_original(executions: Sequence[Execution], original: int, execution: Execution) -> list[AgentDiff]:
    before, after = ([moment.document for moment in side.moments] for side in (executions[original], execution))
    return compare(before, after)


def _replays(executions: Sequence[Execution]) -> list[Html]:
    parts: list[Html] = []
    for execution in executions:
        original = _original(executions, execution)
        if original is not None:
            parts.append(element("h3", f"{execution.replay_of} → {execution.execution_id}"))
            parts.append(comparison_html(_compare_with_original(executions, original, execution)))
    return [element("section", element("h2", "What the replay changed"), *parts)] if parts else []


def _agents(executions: Sequence[Execution]) -> list[Html]:
    parts: list[Html] = []
    for position, execution in enumerate(executions):
        if len(executions) > 1:
            parts.append(element("h3", f"#{position + 1} {execution.execution_id}"))
        same = _same_as_original(executions, execution)
        for index, moment in enumerate(execution.moments):
            same_as = same.get(moment.summary.recommendation_id)
            parts.append(agent_html(moment, _anchor(position, index), same_as))
    return parts


def _same_as_original(executions: Sequence[Execution], execution: Execution) -> dict[str, str]:
    """Return the anchors of equal outputs in the original, by the IDs of the replay's recommendations."""
    original = _original(executions, execution)
    if original is None:
        return {}
    anchors = {
        str(moment.document.get("recommendationId")): _anchor(original, index)
        for index, moment in enumerate(executions[original].moments)
    }
    return {
        str(agent.after["recommendationId"]): anchors[str(agent.before["recommendationId"])]
        for agent in _compare_with_original(executions, original, execution)
        if agent.equal and agent.before is not None and agent.after is not None
    }


def _anchor(execution: int, moment: int) -> str:
    return f"output-{execution + 1}-{moment + 1}"
