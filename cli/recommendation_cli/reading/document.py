"""One recommendation whole, for people, with what is odd about it pointed out."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.output import pretty_json
from recommendation_cli.reading.summary import summarise
from recommendation_cli.screen.terminal import confidence_bar, status_mark
from recommendation_cli.screen.visible import visible, visible_lines
from recommendation_cli.search.queries import TTL, Document
from recommendation_shared.envelope.identity import EPOCH
from recommendation_shared.envelope.vocabulary import RAW_CONFIDENCE
from recommendation_shared.item.trim import TRUNCATED

_HEADED: Final = {"recommendationId", "incidentId", "executionId", "agentType", "timestamp", "confidence", TTL}
_SECTIONS: Final = ("recommendation", "reasoning", "citations", "metadata")
_LABEL_CELLS: Final = 12


def render_document(console: Console, document: Document, *, digest: str, intact: bool) -> None:
    """Print a document; `digest` says what became of its verification, `intact` whether it succeeded."""
    summary = summarise(document)
    confidence = confidence_bar(summary.confidence, odd=summary.odd_confidence, ascii_only=console.options.ascii_only)
    console.print(Text(summary.recommendation_id, style="bold"), soft_wrap=True)
    for label, value in (
        ("incident", Text(summary.incident_id)),
        ("execution", Text(summary.execution_id)),
        ("agent", Text(summary.agent_type)),
        ("completed", Text(summary.timestamp)),
        ("confidence", confidence),
        ("status", status_mark(summary.status)),
        ("expires", Text(_expiry(document))),
        ("digest", Text(digest, style="" if intact else "bold red")),
    ):
        console.print(Text(f"  {label:<{_LABEL_CELLS}}", style="dim").append_text(value), soft_wrap=True)
    for warning in _oddities(document):
        console.print(Text(f"! {warning}", style="yellow"), soft_wrap=True)
    other = {name: value for name, value in document.items() if name not in {*_HEADED, *_SECTIONS}}
    for name in _SECTIONS:
        _section(console, name, document.get(name))
    _section(console, "other fields", other)


def _section(console: Console, name: str, value: Any) -> None:
    console.print()
    console.print(Text(name, style="bold"))
    if isinstance(value, str):
        # Prose wraps at words on a terminal; in a pipe its lines stay whole.
        console.print(Text(visible_lines(value) or "(empty)"), soft_wrap=not console.is_terminal)
    else:
        console.print(Text(pretty_json(value)), soft_wrap=True)


def _expiry(document: Document) -> str:
    expiry = document.get(TTL)
    if expiry is None:
        return "never"
    try:
        return datetime.fromtimestamp(int(expiry), EPOCH.tzinfo).isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):  # written by hand: text, or a year beyond 9999
        return visible(str(expiry))


def _oddities(document: Document) -> Iterator[str]:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return
    if RAW_CONFIDENCE in metadata:
        raw = visible(str(metadata[RAW_CONFIDENCE]))
        yield f"The agent's confidence was no number from 0 to 1; it said: {raw}"
    cuts = metadata.get(TRUNCATED)
    for cut in cuts if isinstance(cuts, list) else []:
        if isinstance(cut, dict):
            path, size = visible(str(cut.get("path"))), visible(str(cut.get("bytes")))
            yield f"Cut to fit DynamoDB's 400 KB: {path}, of {size} bytes (metadata.{TRUNCATED} has its SHA-256)"
