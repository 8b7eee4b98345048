"""The page of `recs report`: what is on it, and that nothing of an agent's output becomes markup."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings

from recommendation_cli.app import recs
from recommendation_cli.report.markup import element, fragment, link
from recommendation_cli.report.page import report_page
from recommendation_cli.report.values import value_html
from recommendation_cli.timeline.runs import runs
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import NOW, FakeDynamoDb, Item, item, runtime
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
    """Collects elements, attributes and text as a browser would find them; notices what is never closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Hold elements to their nesting."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.texts.append(data)


def _page(*made: Item, incident: str = "incident-7") -> str:
    return report_page(incident, runs(decode_item(one) for one in made), "table t", NOW.timestamp())


def _recs(*args: str | Path, made: list[Item]) -> Result:
    return CliRunner().invoke(recs, ["report", *map(str, args)], obj=runtime(FakeDynamoDb(made)))


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


def test_the_page_has_what_a_review_needs() -> None:
    """Timeline, confidence, agreement and conflicts, replay comparison, each agent's words."""
    page = _page(*_incident())
    reader = Reader(page)
    assert reader.open == []
    said = "".join(reader.texts)
    for part in (
        "5 recommendations in 2 executions, from table t, as of 2026-02-01 12:00 UTC",
        "hypotheses, not findings",
        "Agreement: MODERATE",
        "replace-disk",
        "On suspected cause:",
        "b, c",
        "a on suspected cause: deploy (confidence 0.4)",
        "✗ TIMEOUT",
        "until the next execution",
        "replay of execution-1",
        "execution-1 → again",
        "confidence none → 0.87",
        "What the replay changed",
        "It said the same as in the original",
        "No citations.",
    ):
        assert part in said
    anchors = {attributes["id"] for _, attributes in reader.elements if "id" in attributes}
    targets = {str(attributes["href"])[1:] for tag, attributes in reader.elements if tag == "a"}
    assert targets <= anchors
    assert len(anchors) == 5


def test_an_incident_of_one_execution_needs_no_numbers() -> None:
    """Nor a comparison, nor a consensus."""
    page = _page(item("a"))
    assert "What the replay changed" not in page
    assert "Agreement and conflicts" not in page
    assert "1 recommendation in 1 execution," in page


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(hostile: str) -> None:
    """In every field that an agent writes."""
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
    harmless |= {"details", "summary", "pre", "code", "del", "ins", "svg", "rect", "text"}
    assert {tag for tag, _ in reader.elements} <= harmless
    for tag, attributes in reader.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc"}]
        if tag == "a":
            assert re.match(r"https?://|#", str(attributes["href"]))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", page)


@settings(max_examples=50, deadline=None)
@given(json_objects, text)
def test_any_output_gives_a_well_formed_page(recommendation: dict[str, Any], words: str) -> None:
    """Whatever an agent makes up."""
    names = ("conflicts_detected", "minority_opinions", "unified_recommendation")
    consensus = {**recommendation, **dict.fromkeys(names, recommendation)}
    page = _page(
        item("a", age=timedelta(1), recommendation=recommendation, citations=[recommendation], reasoning=words),
        item(recommendation=consensus, metadata=recommendation, execution_id="b"),
    )
    assert Reader(page).open == []


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://example.com/a?b=c&d=é", True),
        ("http://example.com", True),
        ("HTTPS://EXAMPLE.COM", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("file:///etc/passwd", False),
        ("//example.com", False),
        ("https:evil", False),
        ("https://exam\u202eple.com", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_only_web_addresses_are_links(address: str, linked: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """And they tell the other side nothing."""
    made = link(address, "text")
    assert made.startswith("<a ") == linked
    if linked:
        assert 'rel="noopener noreferrer"' in made


def test_text_is_escaped_and_markup_is_not() -> None:
    """Which is what makes the rest of the page safe."""
    inner = element("b", "<&>\"'")
    assert inner == "<b>&lt;&amp;&gt;&quot;&#x27;</b>"
    assert element("p", inner, ["<", ("i", inner)], class_='"x"', data_y=None) == (
        f'<p class="&quot;x&quot;">{inner}&lt;i{inner}</p>'
    )
    assert fragment("\u202e") == r"\u202e"


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    """No script, no picture, no font, no connection, no form."""
    page = _page(item())
    policies = [str(attributes.get("content")) for tag, attributes in Reader(page).elements if tag == "meta"]
    (policy,) = [policy for policy in policies if "default-src" in policy]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'", policy
    )
    assert not re.search(r"""(src|style)=|url\(|@import""", page)


def test_large_and_deep_values_fold() -> None:
    """So that a page of evidence does not hide what was said."""
    assert value_html({"a": {"b": {"c": {"d": 1}}}}).count("<details>") == 1
    assert "<details>" in value_html({"evidence": list(range(1_000))})
    assert value_html(["short", "words"]) == '<span dir="auto">short, words</span>'
    assert 'class="prose"' in value_html("x" * 100_000)


def test_items_written_by_hand_have_their_place() -> None:
    """And what was changed in the table is marked."""
    changed = {**item(), "confidence": {"N": "0.1"}}
    assert "does not match its digest" in _page(changed)
    assert "does not match its digest" not in _page(item(reasoning="x" * 500_000))
    bare = {"recommendationId": {"S": "rec-1"}, "timestamp": {"S": "noon"}, "citations": {"S": "none"}}
    assert Reader(_page(bare)).open == []


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Path]:
    """A file that does not exist yet."""
    yield tmp_path / "report.html"
    assert not (tmp_path / "report.html.new").exists()


def test_the_command_writes_one_file(output: Path) -> None:
    """And replaces it the next time."""
    for _ in range(2):
        result = _recs("incident-7", "-o", output, made=[item()])
        assert result.exit_code == 0
        assert f"The page is {output}, " in result.stderr
    assert output.read_text().startswith("<!doctype html>")
    assert _recs("incident-7", "-o", "-", made=[item()]).stdout == output.read_text()


def test_failures_leave_what_is_there(output: Path) -> None:
    """Nothing found is 1; a file that cannot be is 2."""
    output.write_text("mine")
    assert _recs("incident-8", "-o", output, made=[]).exit_code == 1
    assert output.read_text() == "mine"
    assert _recs("incident-7", "-o", output / "no", made=[item()]).exit_code == 2
    assert _recs("incident-7", made=[item()]).exit_code == 2
    assert "Examples:\n    recs report " in _recs("-h", made=[]).stdout


def test_a_page_that_is_narrowed_says_so(tmp_path: Path) -> None:
    """Or a part would pass for the whole incident."""
    page = tmp_path / "report.html"
    client = FakeDynamoDb([item(), item("knowledge-rag", reasoning="left out")])
    args = ["report", "incident-7", "-o", str(page), "--agent", "consensus", "--since", "2026-01-31"]
    assert CliRunner().invoke(recs, args, obj=runtime(client)).exit_code == 0
    text = page.read_text()
    assert "Not the whole incident: only agent consensus; since 2026-01-31 00:00:00 UTC." in text
    assert "left out" not in text
