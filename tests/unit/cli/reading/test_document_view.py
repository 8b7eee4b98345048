import io
from typing import Any

import pytest
from rich.console import Console

from recommendation_cli.reading.document_view import render_document
from recommendation_cli.search.queries import Document
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item


def _document(agent_type: str = "consensus", **fields: Any) -> Document:
    return decode_item(item(agent_type, **fields))


def _whole(document: Document, width: int = 120) -> str:
    printed = io.StringIO()
    console = Console(file=printed, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    render_document(console, document, digest="verified", intact=True)
    return printed.getvalue()


def test_a_document_is_shown_in_full() -> None:
    """Fields of a newer version are included."""
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


def test_warnings_are_marked() -> None:
    """Each takes a line that starts with an exclamation mark."""
    printed = _whole(_document(confidence=87, reasoning="x" * 500_000))
    assert "! The agent's confidence was not a number from 0 to 1: 87" in printed
    assert "! Cut to fit DynamoDB's 400 KB: /reasoning, originally 500000 bytes" in printed


@pytest.mark.parametrize(("ttl", "expires"), [(None, "never"), ("soon", "soon"), (10**30, "1" + "0" * 30)])
def test_any_ttl_can_be_shown(ttl: object, expires: str) -> None:
    """A ttl written by hand may be anything."""
    assert f"expires     {expires}\n" in _whole(_document() | {"ttl": ttl})


def test_control_characters_and_markup_of_agents_are_escaped() -> None:
    """Every field that a document prints is safe."""
    hostile = "\x1b]0;owned\x07[red]x[/red]:smile:"
    document = _document(
        reasoning=hostile,
        recommendation={hostile: hostile},
        metadata={"status": hostile, "rawConfidence": hostile, "truncated": [{"path": hostile, "bytes": hostile}]},
    )
    document |= {"incidentId": hostile, "agentType": hostile, "recommendationId": hostile, "timestamp": hostile}
    printed = _whole(document)
    assert not set(printed) & set("\x1b\x07")
    assert r"\x1b]0;owned\x07[red]x[/red]:smile:" in printed


def test_an_item_written_by_hand_is_shown() -> None:
    """It may lack everything but its key, or hold values of any type."""
    bare = {"recommendationId": "rec-1"}
    assert "rec-1" in _whole(bare)
    odd = {"recommendationId": "rec-2", "metadata": "none", "confidence": "high", "timestamp": 5, "reasoning": [1]}
    assert "rec-2" in _whole(odd)
    assert '"/reasoning"' in _whole({"metadata": {"truncated": ["/reasoning"]}, **bare})
