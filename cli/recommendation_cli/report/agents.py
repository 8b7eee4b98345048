"""What one agent said, and how the agents agreed."""

import json
from collections.abc import Iterator
from typing import Any, Final

from recommendation_cli.facts import facts, metadata_of
from recommendation_cli.output import COLUMNS
from recommendation_cli.report.markup import Child, Html, element, fragment
from recommendation_cli.report.totals import money, tokens_text
from recommendation_cli.report.values import Folding, citations_html, prose, readable
from recommendation_cli.reviews.review import Verdict
from recommendation_cli.reviews.view import author
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import warnings
from recommendation_cli.timeline.executions import Moment, duration_text
from recommendation_shared.envelope.fields import RAW_CONFIDENCE
from recommendation_shared.item.attribute_value import encode_map
from recommendation_shared.item.encoding import item_digest
from recommendation_shared.item.trim import TRUNCATED
from recommendation_shared.wording import plural

_SHOWN_ELSEWHERE: Final = frozenset({"status", "durationMs", "error", TRUNCATED, RAW_CONFIDENCE})
_VERDICT_CLASSES: Final = {
    Verdict.HELPFUL: "good",
    Verdict.PARTLY: "warn",
    Verdict.WRONG: "bad",
    Verdict.HARMFUL: "bad",
}
_AGREEMENT: Final = ("agreement_level", "conflicts_detected", "minority_opinions", "unified_recommendation")


def agent_html(moment: Moment, anchor: str | None, href: str, folding: Folding, same_as: str | None) -> Html:
    """Return everything one agent said; `same_as` links to an equal output in the original execution."""
    summary, document = moment.summary, moment.document
    metadata = metadata_of(document)
    title = element("h4", element("a", summary.agent_type, href=href), " ", element("span", *_line(moment)))
    parts: list[Child] = [title, *_warnings(document), *_reviews(moment)]
    if same_as is not None:
        parts.append(element("p", "Same output as in the ", element("a", "original execution", href=same_as), "."))
        return element("article", *parts, id=anchor)
    if "error" in metadata:
        parts += [element("h5", "Error"), folding.value(metadata["error"])]
    if document.get("reasoning"):
        parts.append(folding.text(str(document["reasoning"])))
    said = document.get("recommendation")
    if isinstance(said, dict) and _AGREEMENT[0] in said:
        parts.append(folding.value({name: said[name] for name in _AGREEMENT if name in said}))
        parts += _weighing(said, folding)
    elif said or "error" not in metadata:
        parts.append(folding.value(said))
    citations = document.get("citations")
    if citations:
        parts += [element("h5", "Citations"), citations_html(citations, folding)]
    rest = {name: value for name, value in metadata.items() if name not in _SHOWN_ELSEWHERE}
    if rest:
        parts.append(folding.json(rest, "Metadata"))
    unknown = {name: value for name, value in document.items() if name not in COLUMNS}
    if unknown:
        parts.append(folding.json(unknown, "Other fields"))
    parts.append(element("p", element("code", summary.recommendation_id), class_="dim id"))
    return element("article", *parts, id=anchor)


def _reviews(moment: Moment) -> Iterator[Html]:
    """Yield what people said about a recommendation: the review that counts, then how many it supersedes."""
    review = moment.review
    if review is None or review.verdict is None:
        return
    earlier = len(moment.reviews) - 1
    by = author(review) + (f", superseding {plural(earlier, 'review')}" if earlier else "")
    verdict = element("b", review.verdict, class_=_VERDICT_CLASSES.get(review.verdict))
    yield element("p", "Reviewed: ", verdict, " ", element("span", f"({by})", class_="dim"), class_="review")
    if review.note is not None:
        yield prose(review.note)


def _line(moment: Moment) -> Iterator[Child]:
    """Yield how the agent ended, how sure it was, and what it took."""
    recorded = facts(moment.document)
    yield status_html(moment)
    yield " · confidence "
    yield confidence_html(moment)
    yield f" · {moment.summary.time_of_day}"
    if moment.duration is not None:
        yield f" · took {duration_text(moment.duration)}"
    if recorded.tokens is not None:
        yield f" · {tokens_text(recorded.tokens)}"
    if recorded.cost is not None:
        yield f" · {money(recorded.cost)}"


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


def agreement_html(consensus: Moment, folding: Folding) -> Html:
    """Return where the agents disagreed, and which opinions were overruled."""
    recommendation = consensus.document.get("recommendation")
    said = recommendation if isinstance(recommendation, dict) else {"recommendation": recommendation}
    parts: list[Child] = [
        element("p", "Agreement: ", element("b", str(said.get("agreement_level", "not stated")))),
        element("h3", "Conflicts"),
        *_conflicts(said.get("conflicts_detected"), folding),
        element("h3", "Minority opinions"),
        *_minority(said.get("minority_opinions"), folding),
        *_weighing(said, folding),
    ]
    return fragment(*parts)


def _weighing(said: dict[str, Any], folding: Folding) -> Iterator[Html]:
    rest = {name: value for name, value in said.items() if name not in _AGREEMENT}
    if rest:
        yield folding.fold("How it was weighed", folding.value(rest))


def _conflicts(detected: Any, folding: Folding) -> Iterator[Html]:
    if not detected:
        yield element("p", "None detected.", class_="dim")
        return
    for conflict in detected if isinstance(detected, list) else [detected]:
        positions = conflict.get("positions") if isinstance(conflict, dict) else None
        if not isinstance(positions, dict):
            yield folding.value(conflict)
            continue
        rows = (
            element("tr", element("th", answer, scope="row"), element("td", _names(agents)))
            for answer, agents in positions.items()
        )
        yield element("p", f"On {readable(str(conflict.get('question', 'a question')))}:")
        yield element("table", element("tbody", *rows), class_="fields")


def _minority(opinions: Any, folding: Folding) -> Iterator[Html]:
    if not opinions:
        yield element("p", "None.", class_="dim")
    elif isinstance(opinions, list) and all(
        isinstance(opinion, dict) and {"agent_id", "answer"} <= opinion.keys() for opinion in opinions
    ):
        yield element("ul", *(element("li", _opinion(opinion)) for opinion in opinions))
    else:
        yield folding.value(opinions)


def _opinion(opinion: dict[str, Any]) -> str:
    topic = f" on {readable(str(opinion['question']))}" if "question" in opinion else ""
    confidence = f" (confidence {opinion['confidence']})" if opinion.get("confidence") is not None else ""
    return f"{opinion['agent_id']}{topic}: {opinion['answer']}{confidence}"


def _names(agents: Any) -> str:
    return ", ".join(map(str, agents)) if isinstance(agents, list) else str(agents)
