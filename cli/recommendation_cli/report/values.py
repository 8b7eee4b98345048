"""Agents' structured output as HTML: nested objects become tables, long ones are folded."""

from typing import Any, Final

from recommendation_cli.output import pretty_json
from recommendation_cli.report.markup import Html, element, fragment, link
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.wording import plural

_LONG: Final = 1_500  # characters of JSON; longer values are folded
_WORD: Final = 40  # characters; texts up to this length share a line
_DEEP: Final = 3  # nested tables; deeper values are folded


def value_html(value: Any, level: int = 0) -> Html:
    """Return any JSON value: objects as tables and lists as lists, as deep as a reader can follow, then as JSON."""
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
    """Return a value as JSON that a click unfolds."""
    text = pretty_json(value)
    return element(
        "details",
        element("summary", f"{_kind(value)}, {len(text.encode()):,} bytes of JSON"),
        element("pre", text, tabindex=0),
    )


def prose(text: str) -> Html:
    """Return text with its line breaks; long text scrolls in a box, and is printed in full."""
    if not text.strip():
        return element("span", "(empty)", class_="dim")
    return element("div", text, class_="prose", dir="auto", tabindex=0 if len(text) > _LONG else None)


def citations_html(citations: Any) -> Html:
    """Return citations, linked if they have a web address."""
    if not isinstance(citations, list) or not citations:
        return element("p", "No citations.", class_="dim")
    return element("ul", *(element("li", _citation(citation)) for citation in citations), class_="citations")


def _citation(citation: Any) -> Html:
    if not isinstance(citation, dict):
        return value_html(citation)
    texts = {name: text for name, text in citation.items() if isinstance(text, str)}
    address, title = texts.get("url", ""), texts.get("title", "")
    rest = {name: child for name, child in citation.items() if name not in {"url", "title"}}
    notes = [
        f"{readable(name)}: {text if isinstance(text, str) else canonical_text(text)}" for name, text in rest.items()
    ]
    label = title or address or "(no title)"
    return fragment(
        link(address, label) if address else label,
        element("span", f" — {address}", class_="address") if address and title else "",
        element("div", "; ".join(notes), class_="dim") if notes else "",
    )


def readable(name: str) -> str:
    """Return a field's name in words."""
    return name.replace("_", " ")


def _kind(value: Any) -> str:
    return plural(len(value), "field") if isinstance(value, dict) else plural(len(value), "entry", "entries")
