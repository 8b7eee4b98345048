"""HTML that is safe by construction: text is escaped unless this module made it."""

from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import urlsplit

from recommendation_cli.screen.visible import visible, visible_lines

_SAFE_SCHEMES: Final = frozenset({"http", "https"})
_EMPTY: Final = frozenset({"rect"})  # elements of SVG that never have children

Attribute = str | int | float | None


class Html(str):
    """Markup made by this module, or by a caller who vouches for it."""

    __slots__ = ()


Child = str | Iterable["Child"]


def element(name: str, *children: Child, **attributes: Attribute) -> Html:
    """Return an element; text among the children and all attribute values are escaped, and None leaves one out.

    Underscores in the names of attributes stand for hyphens, a last one is dropped (`class_`).
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
    """Return children beside each other."""
    return Html(_joined(children))


def _joined(children: Iterable[Child]) -> str:
    return "".join(_written(child) for child in children)


def _written(child: Child) -> str:
    if isinstance(child, Html):
        return child
    # Characters that hide or reorder text come as their escapes, as on a terminal.
    return escape(visible_lines(child)) if isinstance(child, str) else _joined(child)


def link(address: str, text: str) -> Html:
    """Return a link to a web address, and the plain text of any other, such as `javascript:`."""
    try:
        parts = urlsplit(address)
        safe = parts.scheme in _SAFE_SCHEMES and bool(parts.hostname) and visible(address) == address
    except ValueError:
        safe = False
    if not safe:
        return fragment(text)
    # `noreferrer`: the page's own address may tell where incidents are reviewed.
    return element("a", text, href=address, rel="noopener noreferrer", target="_blank")
