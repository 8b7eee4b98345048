"""How one recommendation looks on a terminal: in full, with anything unusual about it pointed out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.marks.text import document_hold, held_since
from recommendation_cli.output import pretty_json
from recommendation_cli.reviews.review import Review
from recommendation_cli.reviews.view import print_reviews
from recommendation_cli.screen.table import print_fields
from recommendation_cli.screen.terminal import confidence_bar, status_mark
from recommendation_cli.screen.visible import visible, visible_lines
from recommendation_cli.search.queries import TTL, Document
from recommendation_cli.summary import summarise, warnings
from recommendation_shared.envelope.fields import HOLD
from recommendation_shared.envelope.identity import EPOCH

_IN_HEADER: Final = {"recommendationId", "incidentId", "executionId", "agentType", "timestamp", "confidence", TTL, HOLD}
_SECTIONS: Final = ("recommendation", "reasoning", "citations", "metadata")


def render_document(
    console: Console, document: Document, *, digest: str, intact: bool, reviews: Sequence[Review] = ()
) -> None:
    """Print a document and its reviews, which are in order of time.

    `digest` words the result of verifying it, `intact` says whether it matched.
    """
    summary, hold = summarise(document), document_hold(document)
    ascii_only = console.options.ascii_only
    confidence = confidence_bar(summary.confidence, odd=summary.odd_confidence, ascii_only=ascii_only)
    console.print(Text(summary.recommendation_id, style="bold"), soft_wrap=True)
    fields = {
        "incident": Text(summary.incident_id),
        "execution": Text(summary.execution_id),
        "agent": Text(summary.agent_type),
        "completed": Text(summary.timestamp),
        "confidence": confidence,
        "status": status_mark(summary.status),
        "expires": Text(expiry_text(document)),
        **({} if hold is None else {"held": Text(held_since(hold), style="cyan")}),
        "digest": Text(digest, style="" if intact else "bold red"),
    }
    print_fields(console, [(Text(label, style="dim"), value) for label, value in fields.items()], indent=2)
    for warning in warnings(document):
        console.print(Text(f"! {warning}", style="yellow"), soft_wrap=True)
    print_reviews(console, reviews)
    for name in _SECTIONS:
        _print_section(console, name, document.get(name))
    other = {name: value for name, value in document.items() if name not in {*_IN_HEADER, *_SECTIONS}}
    _print_section(console, "other fields", other)


def _print_section(console: Console, name: str, value: Any) -> None:
    console.print()
    console.print(Text(name, style="bold"))
    if isinstance(value, str):
        # Prose wraps at words on a terminal; in a pipe its lines stay whole.
        console.print(Text(visible_lines(value) or "(empty)"), soft_wrap=not console.is_terminal)
    else:
        console.print(Text(pretty_json(value)), soft_wrap=True)


def expiry_text(document: Document) -> str:
    """Return when an item expires, as far as that can be told."""
    expiry = document.get(TTL)
    if expiry is None:
        return "never"
    try:
        return datetime.fromtimestamp(int(expiry), EPOCH.tzinfo).isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):  # written by hand: text, or a year beyond 9999
        return visible(str(expiry))
