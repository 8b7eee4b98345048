import re
from collections.abc import Sequence
from datetime import timedelta

from recommendation_cli.report.agent_totals import tallies_of
from recommendation_cli.report.calibration import calibration_chart, judged_html
from recommendation_cli.report.markup import Html
from recommendation_cli.reviews.review import Subject, Verdict
from recommendation_cli.stats.collect import Tallies
from recommendation_cli.timeline.executions import group_by_execution
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import Item, item, recommendation_id


def _said(execution: int, confidence: float, agent: str = "knowledge-rag") -> Item:
    return item(agent, age=timedelta(minutes=-execution), execution_id=f"execution-{execution}", confidence=confidence)


def _tallies(table: Sequence[Item], *verdicts: Verdict) -> Tallies:
    given = {
        Subject("incident-7", recommendation_id(stored)): verdict
        for stored, verdict in zip(table, verdicts, strict=False)
    }
    return tallies_of(group_by_execution(map(decode_item, table)), given)


def _href(recommendation_id: str) -> str:
    return f"#{recommendation_id}"


def _judged(table: Sequence[Item], *verdicts: Verdict) -> Html:
    page = judged_html(_tallies(table, *verdicts), _href)
    assert page is not None
    return page


def test_without_a_verdict_there_is_no_section() -> None:
    """The page of an incident that nobody reviewed is as before."""
    assert judged_html(_tallies([_said(1, 0.9)]), _href) is None


def test_the_section_says_how_much_was_reviewed_and_how_good_it_was() -> None:
    """A row for each agent that was judged, and one for all; no conclusion from a few."""
    table = [_said(1, 0.9), _said(2, 0.9), _said(3, 0.5, "signal-intelligence"), _said(4, 0.5)]
    page = _judged(table, Verdict.HELPFUL, Verdict.PARTLY, Verdict.NOT_FOLLOWED)
    assert "3 of 4 recommendations reviewed: 1 helpful, 1 partly, 1 not followed." in page
    rag, signal, everything = page.split("<tr>")[2:]
    for shown in (">knowledge-rag<", ">2<", ">0.75<", ">0.90<", ">too few<"):
        assert shown in rag
    assert ">0<" in signal
    assert ">all<" in everything
    assert "Brier" in page


def test_versions_and_models_are_compared_where_there_are_several() -> None:
    """A new version starts afresh."""
    versions = [item("knowledge-rag", age=timedelta(minutes=n), metadata={"agentVersion": f"1.{n}"}) for n in (1, 2)]
    assert "knowledge-rag · 1.2" in _judged(versions, Verdict.HELPFUL, Verdict.WRONG)
    assert "knowledge-rag · 1.1" not in _judged(versions, Verdict.HELPFUL)


def test_the_chart_has_a_row_for_each_confidence_the_highest_first() -> None:
    """A box where the share should lie, a dot where it lies, and its interval; a hollow dot is of too few."""
    table = [_said(number, 0.95) for number in range(12)] + [_said(20, 0.05)]
    chart = calibration_chart(_tallies(table, *[Verdict.WRONG] * 13).everything.track)
    assert re.findall(r">(\d\.\d-\d\.\d)<", chart) == ["0.9-1.0", "0.0-0.1"]
    assert re.findall(r'<circle cx="54.0" cy="[\d.]+" r="4" class="(\w+)"/>', chart) == ["failed", "few"]
    assert re.findall(r">(\d+ of \d+)<", chart) == ["0 of 12", "0 of 1"]
    assert chart.count('class="target"') == 2
    assert "style" not in chart


def test_verdicts_without_a_usable_confidence_have_no_chart() -> None:
    """There is nothing to compare them with."""
    odd = item(confidence=87)
    page = _judged([odd], Verdict.HELPFUL)
    assert "<svg" not in page
    assert ">1.00<" in page


def test_names_of_agents_are_never_markup() -> None:
    """They come from whoever sent the envelope."""
    hostile = {**_said(1, 0.9), "agentType": {"S": "<script>alert(1)</script>"}}
    page = _judged([hostile], Verdict.WRONG)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_who_was_right_against_the_consensus_is_linked() -> None:
    """So that a reader finds what was overruled."""
    said = {"minority_opinions": [{"agent_id": "knowledge-rag"}]}
    consensus = item(age=timedelta(minutes=-1), execution_id="execution-1", recommendation=said)
    table = [_said(1, 0.9), consensus]
    page = _judged(table, Verdict.HELPFUL, Verdict.WRONG)
    assert "knowledge-rag: right in 1 of 1, wrong in 0" in page
    assert f'<a href="#{recommendation_id(table[0])}">' in page
