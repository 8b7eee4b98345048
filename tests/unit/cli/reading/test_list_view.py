import io
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from recommendation_cli.reading.list_view import LAYOUTS, ListView
from recommendation_cli.screen.terminal import WIDE
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import summarise
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item


def _document(agent_type: str = "consensus", **fields: Any) -> Document:
    return decode_item(item(agent_type, **fields))


def _list(*documents: Document, key: str = "incidentId", width: int = 120, encoding: str = "utf-8") -> list[str]:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, newline="")
    console = Console(file=stream, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    ListView(console, LAYOUTS[key]).print([summarise(document) for document in documents])
    stream.flush()
    return written.getvalue().decode(encoding).splitlines()


def test_an_incident_is_listed_by_execution() -> None:
    """The execution with the newest recommendation comes first, undivided even if another ran at the same time."""
    lines = _list(
        _document("consensus", execution_id="second"),
        _document("knowledge-rag", execution_id="first", age=timedelta(seconds=1)),
        _document("risk-blast-radius", execution_id="second", age=timedelta(seconds=2.5)),
    )
    assert [line.split("  ")[0].strip() for line in lines] == [
        "time (UTC)",
        "",
        "Execution second · 2026-01-31 UTC",
        "12:00:00.000",
        "11:59:57.500",
        "",
        "Execution first · 2026-01-31 UTC",
        "11:59:59.000",
    ]


def test_a_wide_terminal_shows_everything_on_one_line() -> None:
    """The line has time, agent, confidence as number and bar, status, and the first line of the reasoning."""
    lines = _list(_document(confidence=0.5))
    assert lines[0].split() == ["time", "(UTC)", "agent", "confidence", "status", "summary"]
    assert lines[-1] == "12:00:00.000  consensus  0.50 ██▌    success  The deploy came first."


def test_an_agent_is_listed_by_day() -> None:
    """Lines name the incident, because they are all of the same agent."""
    lines = _list(_document(), _document(age=timedelta(days=1), incident_id="incident-6"), key="agentType")
    assert lines[2] == "2026-01-31 UTC"
    assert "incident-7" in lines[3]
    assert lines[5] == "2026-01-30 UTC"
    assert "incident-6" in lines[6]


def test_an_execution_is_listed_by_incident() -> None:
    """The heading names the incident."""
    assert "Incident incident-7 · 2026-01-31 UTC" in _list(_document(), key="executionId")


@pytest.mark.parametrize("width", [40, 60, 80, WIDE - 1, WIDE, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """On a narrow terminal the reasoning takes a line to itself."""
    document = _document(incident_id="incident-" + "x" * 200, reasoning="word " * 100, metadata={"status": "FAILURE"})
    lines = _list(document, key="agentType", width=width)
    assert max(map(len, lines)) <= width
    assert len(lines) == (4 if width >= WIDE else 5)
    if width >= 60:
        assert "! FAILURE" in lines[3]


@pytest.mark.parametrize("status", ["FAILURE", "FAILED", "TIMEOUT", "PARTIAL", "nonsense"])
def test_a_failure_is_marked_without_colour(status: str) -> None:
    """An exclamation mark precedes the status."""
    assert f"! {status}" in _list(_document(metadata={"status": status}))[-1]


def test_an_unusable_confidence_differs_from_a_missing_one() -> None:
    """An agent that said 87 is not mistaken for one that said nothing."""
    assert " odd " in _list(_document(confidence=87))[-1]
    assert " none " in _list(_document(confidence=None))[-1]


def test_a_truncated_recommendation_is_marked() -> None:
    """The status says that it was cut."""
    assert "success cut" in _list(_document(reasoning="x" * 500_000))[-1]


def test_a_terminal_without_unicode_gets_ascii_bars() -> None:
    """An encoding that lacks block characters does not raise an error."""
    assert "0.87 ####" in _list(_document(), encoding="latin-1", width=200, key="agentType")[-1]


def test_control_characters_and_markup_of_agents_are_escaped() -> None:
    """Every field that a list prints is safe."""
    hostile = "\x1b]0;owned\x07[red]x[/red]:smile:"
    document = _document(reasoning=hostile, metadata={"status": hostile})
    document |= {"incidentId": hostile, "agentType": hostile, "recommendationId": hostile, "timestamp": hostile}
    printed = "\n".join(_list(document, width=300))
    assert not set(printed) & set("\x1b\x07")
    assert r"\x1b]0;owned\x07[red]x[/red]:smile:" in printed


def test_items_written_by_hand_are_listed() -> None:
    """They may lack everything but their key, or hold values of any type."""
    assert len(_list({"recommendationId": "rec-1"})) == 4
    odd = {"recommendationId": "rec-2", "metadata": "none", "confidence": "high", "timestamp": 5, "reasoning": [1]}
    assert "[1]" in _list(odd)[-1]


@pytest.mark.parametrize("width", [20, 30, 40, 60])
def test_a_narrow_terminal_loses_text_before_the_status(width: int) -> None:
    """What failed is what an operator looks for on a phone."""
    failed = _document("response-strategy", metadata={"status": "TIMEOUT"}, timestamp="2026-01-31T12:00:00.123456Z")
    lines = _list(failed, width=width)
    (row,) = [line for line in lines if "TIMEOUT" in line]
    assert "! TIMEOUT" in row
    assert len(row) <= width
