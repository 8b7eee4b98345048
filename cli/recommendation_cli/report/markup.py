"""HTML that is safe by construction: everything is escaped except what this module wrote itself."""

from collections.abc import Iterable, Sequence
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

    def __html__(self) -> str:
        """Return it as it is: how template engines recognise markup."""
        return self


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


def column_table(columns: Sequence[tuple[str, bool]], rows: Iterable[Iterable[Child]], kind: str) -> Html:
    """Return a table of class `kind`; each column is its title, and whether phones show it."""
    classes = [None if is_on_phones else "extra" for _, is_on_phones in columns]
    head = (
        element("th", title, class_=class_, scope="col") for (title, _), class_ in zip(columns, classes, strict=True)
    )
    body = (
        element("tr", *(element("td", cell, class_=class_) for cell, class_ in zip(cells, classes, strict=True)))
        for cells in rows
    )
    return element("table", element("thead", element("tr", *head)), element("tbody", *body), class_=kind)


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
