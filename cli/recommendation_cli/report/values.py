"""Agents' structured output as HTML: nested objects as tables, long ones folded."""

from typing import Any, Final

from recommendation_cli.output import pretty_json
from recommendation_cli.report.markup import Html, element, fragment, link
from recommendation_shared.exact_json.canonical import canonical_text

_LONG: Final = 1_500  # characters of JSON that are shown at once; more is folded
_WORD: Final = 40  # characters; texts as short as that share a line
_DEEP: Final = 3  # levels of tables within tables


def value_html(value: Any, level: int = 0) -> Html:
    """Return any JSON value; objects and lists as deep as a reader can follow, and then as JSON."""
    if value is None or value in ({}, []):
        return element("span", "none", class_="dim")
    if isinstance(value, str):
        return prose(value)
    if not isinstance(value, dict | list):
        return element("span", canonical_text(value), class_="number")
    if level >= _DEEP or (level > 0 and len(canonical_text(value)) > _LONG):
        return folded(value)
    if isinstance(value, dict):
        rows = (
            element("tr", element("th", readable(name), scope="row"), element("td", value_html(child, level + 1)))
            for name, child in sorted(value.items(), key=lambda entry: (isinstance(entry[1], dict | list), entry[0]))
        )
        return element("table", element("tbody", *rows), class_="fields")
    if all(isinstance(child, str) and len(child) <= _WORD for child in value):
        return element("span", ", ".join(value), dir="auto")
    return element("ul", *(element("li", value_html(child, level + 1)) for child in value))


def folded(value: Any) -> Html:
    """Return JSON that unfolds."""
    text = pretty_json(value)
    return element(
        "details",
        element("summary", f"{_kind(value)}, {len(text.encode()):,} bytes of JSON"),
        element("pre", text, tabindex=0),
    )


def prose(text: str) -> Html:
    """Return text with its line breaks; long text in a box of its own that scrolls, and prints whole."""
    if not text.strip():
        return element("span", "(empty)", class_="dim")
    return element("div", text, class_="prose", dir="auto", tabindex=0 if len(text) > _LONG else None)


def citations_html(citations: Any) -> Html:
    """Return citations with links where their address is one of the web."""
    if not isinstance(citations, list) or not citations:
        return element("p", "No citations.", class_="dim")
    return element("ul", *(element("li", _citation(citation)) for citation in citations), class_="citations")


def _citation(citation: Any) -> Html:
    if not isinstance(citation, dict):
        return value_html(citation)
    named = {name: text for name, text in citation.items() if isinstance(text, str)}
    address, title = named.get("url", ""), named.get("title", "")
    rest = {name: child for name, child in citation.items() if name not in {"url", "title"}}
    notes = [
        f"{readable(name)}: {text if isinstance(text, str) else canonical_text(text)}" for name, text in rest.items()
    ]
    shown = title or address or "(without a title)"
    return fragment(
        link(address, shown) if address else shown,
        element("span", f" — {address}", class_="address") if address and title else "",
        element("div", "; ".join(notes), class_="dim") if notes else "",
    )


def readable(name: str) -> str:
    """Return a field's name as words."""
    return name.replace("_", " ")


def _kind(value: Any) -> str:
    count = len(value)
    noun = "field" if isinstance(value, dict) else "entry"
    return f"{count} {noun}" if count == 1 else f"{count} {'fields' if noun == 'field' else 'entries'}"
