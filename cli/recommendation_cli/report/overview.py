"""The top of the report: what was recommended, why, how sure, what failed and what it cost."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from recommendation_cli.report.agents import confidence_html
from recommendation_cli.report.markup import Child, Html, element, fragment
from recommendation_cli.report.totals import Totals
from recommendation_cli.report.values import ACTIONS, Folding, actions_html, prose, readable
from recommendation_cli.reviews.review import Review
from recommendation_cli.reviews.view import author, said
from recommendation_cli.timeline.executions import Execution, Moment, duration_text
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural

_STRATEGY: Final = "response-strategy"  # whose recommendation stands in for a consensus that is missing


class Conclusion(NamedTuple):
    """What an execution concluded; a field that nobody filled in is None."""

    moment: Moment
    recommended: Any
    cause: str | None
    actions: Any
    agreement: str | None


def conclusion(execution: Execution) -> Conclusion | None:
    """Return what the consensus concluded, or without one what the response strategy did."""
    moment = execution.last(CONSENSUS) or execution.last(_STRATEGY)
    if moment is None:
        return None
    said = moment.document.get("recommendation")
    fields = said if isinstance(said, dict) else {}
    unified = fields.get("unified_recommendation", said)
    parts = unified if isinstance(unified, dict) else {}
    both = {**fields, **parts}
    return Conclusion(
        moment,
        recommended=both.get("recommended_action", None if parts else unified),
        cause=_text(both.get("suspected_cause")),
        actions=next((both[name] for name in ACTIONS if name in both), None),
        agreement=_text(fields.get("agreement_level")),
    )


def overview_html(executions: Sequence[Execution], folding: Folding, review: Review | None = None) -> Html:
    """Return the answers to the five questions, and the actions as a numbered list.

    Above them comes what a review says about the incident itself.
    """
    latest = next(filter(None, map(conclusion, reversed(executions))), None)
    rows = [
        element("tr", element("th", question, scope="row"), element("td", *answer))
        for question, answer in (*_reviewed(review), *_answers(executions, latest))
    ]
    table = element("table", element("tbody", *rows), class_="fields glance")
    if latest is None:
        return table
    listed = actions_html(latest.actions)
    if listed is None and latest.actions:
        listed = folding.value(latest.actions)
    return fragment(table, element("h3", "Recommended actions"), listed) if listed else table


def _answers(executions: Sequence[Execution], latest: Conclusion | None) -> Iterator[tuple[str, list[Child]]]:
    yield "recommended", [_recommended(latest)]
    yield "suspected cause", [element("b", latest.cause) if latest and latest.cause else _none("none stated")]
    yield "how sure", list(_sure(latest))
    totals = Totals.of(executions)
    yield "not successful", list(_failures(executions, totals))
    yield "cost", [totals.text()]
    spans = [execution.span for execution in executions if execution.span is not None]
    if spans:
        took = max(end for _, end in spans) - min(start for start, _ in spans)
        yield "from first to last", [f"{duration_text(took)}, {plural(len(executions), 'execution')}"]


def _reviewed(review: Review | None) -> Iterator[tuple[str, list[Child]]]:
    if review is None or review.is_retraction:
        return
    for name, text in said(review):
        yield name, [prose(text)]
    yield "reviewed by", [element("span", author(review), class_="dim")]


def _recommended(latest: Conclusion | None) -> Child:
    if latest is None or latest.recommended is None:
        return _none("nothing")
    said = latest.recommended
    return element("b", prose(said)) if isinstance(said, str) else element("b", str(said))


def _sure(latest: Conclusion | None) -> Iterator[Child]:
    if latest is None:
        yield _none("no consensus")
        return
    yield "confidence "
    yield confidence_html(latest.moment)
    yield f", agreement {latest.agreement}" if latest.agreement else ""
    if latest.moment.summary.agent_type != CONSENSUS:
        yield f" (no consensus: this is what {latest.moment.summary.agent_type} recommended)"


def _failures(executions: Sequence[Execution], totals: Totals) -> Iterator[Child]:
    """Yield which agents failed, in the newest execution and before."""
    if not totals.failed:
        yield element("span", f"none of {plural(totals.recommendations, 'recommendation')}", class_="good")
        return
    now = [
        f"{moment.summary.agent_type} ({moment.summary.status})" for moment in executions[-1].moments if moment.failed
    ]
    latest = ", ".join(now) or "none"
    count = f"{totals.failed} of {plural(totals.recommendations, 'recommendation')}"
    if len(executions) == 1:
        yield element("span", f"{count}: {latest}", class_="bad")
        return
    yield element("span", count, class_="bad")
    yield f"; in the latest execution: {latest}"


def agreement_level(execution: Execution) -> str:
    """Return the level of agreement that the consensus stated; empty without one."""
    found = conclusion(execution)
    return (found.agreement if found else None) or ""


def recommended_text(execution: Execution) -> str:
    """Return what an execution recommended, in a few words; empty if nothing."""
    found = conclusion(execution)
    said = found.recommended if found else None
    return readable(said) if isinstance(said, str) else ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _none(text: str) -> Html:
    return element("span", text, class_="dim")
