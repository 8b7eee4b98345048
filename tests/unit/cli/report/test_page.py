import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings

from recommendation_cli.report.page import report_page
from recommendation_cli.timeline.executions import group_by_execution
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import NOW, Item, item
from tests.support.strategies import json_objects, text

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></svg></textarea><svg onload=alert(1)>",
    "${content} $style_hash $$ {{7*7}}",
    "\u202eevil\u2066\u200b\x00\x1b[2J",
    "&lt;script&gt;&#x3c;",
)


class Reader(HTMLParser):
    """Collects elements, attributes and text as a browser would; fails on elements that are closed out of order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element that closes itself."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Check that elements are nested correctly."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record text."""
        self.texts.append(data)


def _page(*table: Item, incident: str = "incident-7", full: bool = False) -> str:
    executions = group_by_execution(map(decode_item, table))
    return report_page(incident, executions, "table t", NOW.timestamp(), author="alice with recs 1", full=full)


def _incident() -> list[Item]:
    consensus = {
        "agreement_level": "MODERATE",
        "conflicts_detected": [{"question": "suspected_cause", "positions": {"deploy": ["a"], "disk": ["b", "c"]}}],
        "minority_opinions": [{"agent_id": "a", "question": "suspected_cause", "answer": "deploy", "confidence": 0.4}],
        "unified_recommendation": {"recommended_action": "replace-disk"},
        "quality_metrics": {"agents": 3},
    }
    replayed = {"status": "SUCCESS", "durationMs": 3_000, "replayMetadata": {"replay_of": "execution-1"}}
    return [
        item("b", age=timedelta(hours=1), metadata={"status": "SUCCESS", "durationMs": 3_000}, reasoning="The disk."),
        item("c", age=timedelta(hours=1, seconds=-1), confidence=None, metadata={"status": "TIMEOUT"}, reasoning="No."),
        item("b", execution_id="again", metadata=replayed, reasoning="The disk."),
        item("c", age=timedelta(seconds=-1), execution_id="again", metadata=replayed, reasoning="Now. Yes."),
        item("consensus", age=timedelta(seconds=-2), execution_id="again", recommendation=consensus, reasoning=""),
    ]


def test_the_page_has_everything_a_review_needs() -> None:
    """It shows timeline, confidence, agreement and conflicts, the replay comparison and each agent's output."""
    page = _page(*_incident())
    reader = Reader(page)
    assert reader.open == []
    shown = "".join(reader.texts)
    for part in (
        "5 recommendations in 2 executions, from table t, as of 2026-02-01 12:00 UTC",
        "hypotheses, not findings",
        "Agreement: MODERATE",
        "replace-disk",
        "On suspected cause:",
        "b, c",
        "a on suspected cause: deploy (confidence 0.4)",
        "✗ TIMEOUT",
        " after the one before",
        "replay of #1",
        "From #1 to #2 · 1 agent said the same",
        "confidence was none, and is 0.87",
        "status changed from TIMEOUT to SUCCESS",
        "the reasoning lost 1 sentence and gained 2 sentences",
        "made by alice with recs 1",
        "What the replay changed",
        "Same output as in the original execution",
    ):
        assert part in shown
    anchors = {attributes["id"] for _, attributes in reader.elements if "id" in attributes}
    targets = {unquote(str(attributes["href"]))[1:] for tag, attributes in reader.elements if tag == "a"}
    assert targets <= anchors
    assert "rec-incident-7-consensus-2026-01-31T12:00:02Z" in anchors


def test_the_top_answers_the_five_questions() -> None:
    """It says what was recommended, the suspected cause, how sure, what failed and what it cost."""
    cost = {"estimatedCost": Decimal("0.25"), "inputTokens": 1_000, "outputTokens": 200}
    unified = {
        "recommended_action": "replace-disk",
        "suspected_cause": "bad-disk",
        "actions": [{"action": "second", "order": 2}, {"action": "first", "order": 1, "rationale": "it is quick"}],
    }
    said = {"agreement_level": "STRONG", "unified_recommendation": unified}
    page = _page(
        item("a", age=timedelta(seconds=2), metadata={"status": "TIMEOUT", "durationMs": 61_000, "cost": cost}),
        item("b", age=timedelta(seconds=1), metadata={"status": "SUCCESS", "durationMs": 1_000, "cost": cost}),
        item("consensus", confidence=0.75, recommendation=said),
    )
    top = "".join(Reader(page.partition("In short</h2>")[2].partition("</section>")[0]).texts)
    assert re.fullmatch(
        "recommendedreplace-disksuspected causebad-diskhow sureconfidence 0.75, agreement STRONG"
        r"not successful1 of 3 recommendations: a \(TIMEOUT\)"
        r"cost\$0.5000, 2,400 tokens, 1 min 02 s of agents' timefrom first to last1 min 03 s, 1 execution"
        "Recommended actionsfirstrationale: it is quicksecond",
        top,
    )


def test_without_a_consensus_the_top_says_whose_recommendation_it_shows() -> None:
    """An execution may fail before its consensus."""
    page = _page(item("response-strategy", recommendation={"recommended_action": "wait"}))
    assert "no consensus: this is what response-strategy recommended" in page
    assert "wait" in page.partition("recommended</th>")[2].partition("</tr>")[0]
    assert "no consensus" in _page(item("a"))


def test_fifty_executions_stay_below_two_megabytes() -> None:
    """What is folded and large is left out, and the page says where it is; `full` has it all, unfolded."""
    evidence = {"samples": [{"at": str(number), "value": number} for number in range(100)]}
    agents = ("a", "b", "c", "d", "e", "f", "consensus")
    table = [
        item(
            agent,
            age=timedelta(hours=number, seconds=second),
            execution_id=f"execution-{number}",
            reasoning="A sentence of the reasoning. " * 12,
            recommendation={"recommended_action": f"action-{number}", "evidence": evidence},
            metadata={"status": "SUCCESS", "replayMetadata": {"replay_of": "execution-49"}},
        )
        for number in range(50)
        for second, agent in enumerate(agents)
    ]
    page = _page(*table)
    assert len(page.encode()) < 2_000_000
    assert "not on this page, but in recs show and with --full" in page
    full = _page(*table[:7], full=True)
    assert full.count("<details open") == full.count("<details") > 7


def test_sections_without_content_are_omitted() -> None:
    """A single execution has no replay, and may have no consensus."""
    page = _page(item("a"))
    assert "What the replay changed" not in page
    assert "Agreement and conflicts" not in page
    assert "1 recommendation in 1 execution," in page


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_never_becomes_markup(hostile: str) -> None:
    """Every field an agent writes is shown as text."""
    fields: dict[str, Any] = {
        "recommendation": {
            hostile: [hostile, {hostile: hostile}],
            "conflicts_detected": [{"positions": {hostile: hostile}}],
        },
        "reasoning": hostile,
        "citations": [{"title": hostile, "url": hostile, hostile: hostile}, {"url": f"https://x/{hostile}"}],
        "metadata": {
            "status": hostile,
            "error": {hostile: hostile},
            "rawConfidence": hostile,
            "truncated": [{"path": hostile, "bytes": hostile}],
            "replayMetadata": {"replay_of": "a"},
        },
    }
    page = _page(
        item("consensus", age=timedelta(hours=1), execution_id="a"),
        item("consensus", execution_id="b", **fields),
        incident=hostile,
    )
    reader = Reader(page)
    assert reader.open == []
    harmless = {"html", "head", "meta", "title", "style", "body", "header", "section", "article", "footer", "h1", "h2"}
    harmless |= {"h3", "h4", "p", "div", "span", "b", "a", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    harmless |= {"details", "summary", "pre", "code", "del", "ins", "svg", "rect", "text", "circle", "polyline"}
    harmless |= {"nav", "ol", "h5"}
    assert {tag for tag, _ in reader.elements} <= harmless
    for tag, attributes in reader.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc"}]
        if tag == "a":
            assert re.match(r"https?://|#", str(attributes["href"]))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", page)


@settings(max_examples=50)
@given(json_objects, text)
def test_any_output_gives_a_well_formed_page(recommendation: dict[str, Any], words: str) -> None:
    """Unexpected types and names do not break the page."""
    names = ("conflicts_detected", "minority_opinions", "unified_recommendation")
    consensus = {**recommendation, **dict.fromkeys(names, recommendation)}
    page = _page(
        item("a", age=timedelta(1), recommendation=recommendation, citations=[recommendation], reasoning=words),
        item(recommendation=consensus, metadata=recommendation, execution_id="b"),
    )
    assert Reader(page).open == []


def test_the_content_security_policy_allows_only_the_pages_own_style() -> None:
    """Scripts, images, fonts, connections and forms are blocked."""
    page = _page(item())
    policies = [str(attributes.get("content")) for tag, attributes in Reader(page).elements if tag == "meta"]
    (policy,) = [policy for policy in policies if "default-src" in policy]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'", policy
    )
    assert not re.search(r"""(src|style)=|url\(|@import""", page)


def test_changed_items_are_marked_and_incomplete_items_are_shown() -> None:
    """Items written or changed by hand do not break the page."""
    changed = {**item(), "confidence": {"N": "0.1"}}
    assert "does not match its digest" in _page(changed)
    assert "does not match its digest" not in _page(item(reasoning="x" * 500_000))
    bare = {"recommendationId": {"S": "rec-1"}, "timestamp": {"S": "noon"}, "citations": {"S": "none"}}
    assert Reader(_page(bare)).open == []
