"""HTML that is safe by construction: everything is escaped except what this module wrote itself."""

from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import urlsplit

from recommendation_cli.screen.visible import visible, visible_lines

_SAFE_SCHEMES: Final = frozenset({"http", "https"})
_EMPTY: Final = frozenset({"rect", "circle", "polyline"})  # SVG elements without children

Attribute = str | int | float | None


class Html(str):
    """Markup written by this module, or by a caller who vouches for it."""

    __slots__ = ()


Child = str | Iterable["Child"]


def element(name: str, *children: Child, **attributes: Attribute) -> Html:
    """Return an element; text among the children and attribute values is escaped, and attributes with None are omitted.

    Underscores in attribute names become hyphens; a trailing one is dropped (`class_`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(visible(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{_joined(children)}</{name}>")


def fragment(*children: Child) -> Html:
    """Return children without an element around them."""
    return Html(_joined(children))


def _joined(children: Iterable[Child]) -> str:
    return "".join(_written(child) for child in children)


def _written(child: Child) -> str:
    if isinstance(child, Html):
        return child
    # Characters that hide or reorder text are shown as escapes, as on a terminal.
    return escape(visible_lines(child)) if isinstance(child, str) else _joined(child)


def column_cell(name: str, content: Child, is_on_phones: bool) -> Html:  # noqa: FBT001 - one column of a table
    """Return a `th` or `td` of a column that phones may leave out."""
    return element(name, content, class_=None if is_on_phones else "extra", scope="col" if name == "th" else None)


def link(address: str, text: str) -> Html:
    """Return a link to a web address; for any other address, such as `javascript:`, only the text."""
    try:
        parts = urlsplit(address)
        safe = parts.scheme in _SAFE_SCHEMES and bool(parts.hostname) and visible(address) == address
    except ValueError:
        safe = False
    if not safe:
        return fragment(text)
    # noreferrer: the address of the page may reveal where incidents are reviewed.
    return element("a", text, href=address, rel="noopener noreferrer", target="_blank")
