"""What operators see of lists and of one document, at several widths."""

import io
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from recommendation_cli.reading.document_view import render_document
from recommendation_cli.reading.list_view import LAYOUTS, WIDE, render_list
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import summarise
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item


def _document(agent_type: str = "consensus", **fields: Any) -> Document:
    return decode_item(item(agent_type, **fields))


def _console(width: int, encoding: str = "utf-8") -> Console:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    return Console(file=stream, width=width, color_system=None, highlight=False, markup=False, emoji=False)


def _printed(console: Console) -> str:
    console.file.flush()
    written: bytes = console.file.buffer.getvalue()  # type: ignore[attr-defined]  # of the BytesIO above
    return written.decode(console.encoding)


def _list(*documents: Document, key: str = "incidentId", width: int = 120, encoding: str = "utf-8") -> list[str]:
    console = _console(width, encoding)
    render_list(console, [summarise(document) for document in documents], LAYOUTS[key])
    return _printed(console).splitlines()


def _whole(document: Document, width: int = 120) -> str:
    console = _console(width)
    render_document(console, document, digest="verified", intact=True)
    return _printed(console)


def test_an_incident_is_listed_by_execution() -> None:
    """The execution with the newest recommendation first, and whole, though two ran at the same time."""
    lines = _list(
        _document("consensus", execution_id="second"),
        _document("knowledge-rag", execution_id="first", age=timedelta(seconds=1)),
        _document("risk-blast-radius", execution_id="second", age=timedelta(seconds=2.5)),
    )
    assert [line.split("  ")[0].strip() for line in lines] == [
        "time (UTC)",
        "",
        "Execution second · 2026-01-31 UTC",
        "12:00:00",
        "11:59:57.5",
        "",
        "Execution first · 2026-01-31 UTC",
        "11:59:59",
    ]


def test_a_wide_line_tells_all() -> None:
    """Time, agent, confidence as number and bar, status, and the first line of the reasoning only."""
    lines = _list(_document(confidence=0.5))
    assert lines[0].split() == ["time", "(UTC)", "agent", "confidence", "status", "summary"]
    assert lines[-1] == "12:00:00    consensus  0.50 ██▌    success  The deploy came first."


def test_an_agent_is_listed_by_day_with_the_incidents() -> None:
    """Because there the incident is what tells the lines apart."""
    lines = _list(_document(), _document(age=timedelta(days=1), incident_id="incident-6"), key="agentType")
    assert lines[2] == "2026-01-31 UTC"
    assert "incident-7" in lines[3]
    assert lines[5] == "2026-01-30 UTC"
    assert "incident-6" in lines[6]


def test_an_execution_names_its_incident() -> None:
    """Normally one."""
    assert "Incident incident-7 · 2026-01-31 UTC" in _list(_document(), key="executionId")


@pytest.mark.parametrize("width", [40, 60, 80, WIDE - 1, WIDE, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """However long IDs and reasoning are; on a narrow terminal the reasoning has a line of its own."""
    document = _document(incident_id="incident-" + "x" * 200, reasoning="word " * 100, metadata={"status": "FAILURE"})
    lines = _list(document, key="agentType", width=width)
    assert max(map(len, lines)) <= width
    assert len(lines) == (4 if width >= WIDE else 5)
    if width >= 60:
        assert "! FAILURE" in lines[3]


@pytest.mark.parametrize("status", ["FAILURE", "FAILED", "TIMEOUT", "PARTIAL", "nonsense"])
def test_what_did_not_succeed_is_marked_without_colour(status: str) -> None:
    """By an exclamation mark."""
    assert f"! {status}" in _list(_document(metadata={"status": status}))[-1]


@pytest.mark.parametrize(
    ("fields", "headline"),
    [
        ({"reasoning": "  \n first\nsecond"}, "first"),
        ({"reasoning": "", "recommendation": {"a": {"b": "c", "none": None, "e": ""}, "n": 1, "l": [1]}}, "b: c"),
        (
            {
                "reasoning": "",
                "recommendation": {
                    "agreement_level": "STRONG",
                    "quality": {"recommended_action": "no"},
                    "unified_recommendation": {"cause": "deploy", "recommended_action": "roll back"},
                },
            },
            "recommended_action: roll back · cause: deploy · recommended_action: no · agreement_level: STRONG",
        ),
        ({"reasoning": "", "recommendation": {"n": 1}}, '{"n":1}'),
        ({"reasoning": "", "metadata": {"error": {"code": "Throttled"}}}, "code: Throttled"),
        ({"reasoning": "", "metadata": {"error": "broken"}}, "error: broken"),
    ],
)
def test_the_headline_is_reasoning_or_error_or_recommendation(fields: dict[str, Any], headline: str) -> None:
    """The first of them that there is."""
    assert summarise(_document(**fields)).headline == headline


def test_odd_and_missing_confidence_differ() -> None:
    """An agent that said 87 is not one that said nothing."""
    assert " odd " in _list(_document(confidence=87))[-1]
    assert " none " in _list(_document(confidence=None))[-1]


def test_a_truncated_recommendation_is_marked() -> None:
    """In lists too."""
    assert "success cut" in _list(_document(reasoning="x" * 500_000))[-1]


def test_a_terminal_without_unicode_gets_plain_bars() -> None:
    """And no traceback."""
    assert "0.87 ####" in _list(_document(), encoding="latin-1", width=200, key="agentType")[-1]


def test_escape_sequences_and_markup_of_agents_are_only_shown() -> None:
    """In every field that a list or a document prints."""
    hostile = "\x1b]0;owned\x07[red]x[/red]:smile:"
    document = _document(
        reasoning=hostile,
        recommendation={hostile: hostile},
        metadata={"status": hostile, "rawConfidence": hostile, "truncated": [{"path": hostile, "bytes": hostile}]},
    )
    document |= {"incidentId": hostile, "agentType": hostile, "recommendationId": hostile, "timestamp": hostile}
    for printed in ("\n".join(_list(document, width=300)), _whole(document)):
        assert not set(printed) & set("\x1b\x07")
        assert r"\x1b]0;owned\x07[red]x[/red]:smile:" in printed


def test_a_document_is_shown_whole() -> None:
    """Every field that it has, the fields of a newer version included."""
    document = _document(citations=[{"title": "Summary"}], metadata={"status": "PARTIAL"}) | {"newField": [1, 2]}
    printed = _whole(document)
    for text in (
        "rec-incident-7-consensus-2026-01-31T12:00:00Z",
        "incident    incident-7",
        "execution   execution-1",
        "completed   2026-01-31T12:00:00.000000Z",
        "confidence  0.87 ████▍",
        "status      ! PARTIAL",
        "expires     2026-05-01T12:00:00Z",
        "digest      verified",
        '"recommended_action": "roll back"',
        "The deploy came first.\nThen the errors.",
        '"title": "Summary"',
        '"newField"',
        '"retention": 90',
    ):
        assert text in printed
    assert "!" not in printed.replace("! PARTIAL", "")


def test_a_document_points_out_what_is_odd() -> None:
    """An unusable confidence as the agent gave it, and each cut with its original size."""
    printed = _whole(_document(confidence=87, reasoning="x" * 500_000))
    assert "! The agent's confidence was not a number from 0 to 1: 87" in printed
    assert "! Cut to fit DynamoDB's 400 KB: /reasoning, originally 500000 bytes" in printed


@pytest.mark.parametrize(("ttl", "expires"), [(None, "never"), ("soon", "soon"), (10**30, "1" + "0" * 30)])
def test_any_ttl_can_be_shown(ttl: object, expires: str) -> None:
    """Those written by hand too."""
    assert f"expires     {expires}\n" in _whole(_document() | {"ttl": ttl})


def test_an_item_written_by_hand_can_be_shown() -> None:
    """It may lack everything but its key, or hold anything."""
    bare = {"recommendationId": "rec-1"}
    assert "rec-1" in _whole(bare)
    assert len(_list(bare)) == 4
    odd = {"recommendationId": "rec-2", "metadata": "none", "confidence": "high", "timestamp": 5, "reasoning": [1]}
    assert "rec-2" in _whole(odd)
    assert "[1]" in _list(odd)[-1]
    cuts = {"metadata": {"truncated": ["/reasoning"]}, **bare}
    assert '"/reasoning"' in _whole(cuts)
