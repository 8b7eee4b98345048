"""Agents' structured output as HTML: nested objects become tables, and what would fill pages is folded."""

from dataclasses import dataclass
from typing import Any, Final

from recommendation_cli.output import pretty_json
from recommendation_cli.report.markup import Child, Html, element, fragment, link
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.wording import plural

ACTIONS: Final = ("actions", "recommended_actions", "next_steps", "steps")  # the names agents give a list of actions
_UNIFIED: Final = "unified_recommendation"
_LONG: Final = 600  # characters of JSON; longer values are folded
_LONG_PROSE: Final = 1_500  # characters; longer texts scroll in a box
_WORD: Final = 40  # characters; texts up to this length share a line
_DEEP: Final = 3  # nested tables; deeper values are folded
_MOST_FOLDED: Final = 30_000  # bytes of one folded part; more is left out
_ROOM: Final = 500_000  # bytes of all folded parts together: a page of 50 executions stays below 2 MB


@dataclass
class Folding:
    """What the page folds, within limits of which `room` is left; `is_full` unfolds everything instead.

    A text is cut after `longest` characters; None shows all of it. What is left out is to be found `elsewhere`.
    """

    is_full: bool = False
    room: int = _ROOM  # bytes
    longest: int | None = None
    elsewhere: str = "in recs show and with --full"

    def fold(self, label: str, content: Html) -> Html:
        """Return content that a click unfolds; only its label, with where to find it, if it is too large."""
        size = len(content.encode())
        if self.is_full:
            return element("details", element("summary", label), content, open="")
        if size > self._most:
            return self._omitted(label)
        self.room -= size
        return element("details", element("summary", label), content)

    @property
    def _most(self) -> int:
        return min(_MOST_FOLDED, self.room)

    def json(self, value: Any, label: str = "") -> Html:
        """Return a value as folded JSON."""
        size = len(canonical_text(value).encode())  # indented, it is larger
        what = f"{label}{label and ': '}{_kind(value)}, {size:,} bytes of JSON"
        if size > self._most and not self.is_full:
            return self._omitted(what)
        return self.fold(what, element("pre", pretty_json(value), tabindex=0))

    def value(self, value: Any, level: int = 0) -> Html:
        """Return any JSON value: objects as tables and lists as lists, as deep as a reader can follow, then as JSON."""
        if value is None or value in ({}, []):
            return element("span", "none", class_="dim")
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, dict | list):
            return element("span", canonical_text(value), class_="number")
        if level >= _DEEP or (level > 0 and len(canonical_text(value)) > _LONG):
            return self.json(value)
        if isinstance(value, dict):
            return self._fields(value, level)
        if all(isinstance(child, str) and len(child) <= _WORD for child in value):
            return element("span", ", ".join(value), dir="auto")
        return element("ul", *(element("li", _flat(child) or self.value(child, level + 1)) for child in value))

    def text(self, text: str) -> Html:
        """Return text with its line breaks, cut if it is too long for the page."""
        if self.longest is None or len(text) <= self.longest:
            return prose(text)
        rest = self._omitted(f"{len(text) - self.longest:,} more characters")
        return fragment(prose(text[: self.longest]), rest)

    def _omitted(self, label: str) -> Html:
        return element("span", f"{label}: not on this page, but {self.elsewhere}", class_="dim omitted")

    def _fields(self, value: dict[str, Any], level: int) -> Html:
        rows = []
        for name, child in sorted(value.items(), key=lambda entry: (isinstance(entry[1], dict | list), entry[0])):
            shown = actions_html(child) if name in ACTIONS else None
            if name == _UNIFIED and isinstance(child, dict) and child and level == 0:
                shown = self._fields(child, level + 1)  # never folded: it is what the agents agreed on
            cell = self.value(child, level + 1) if shown is None else shown
            rows.append(element("tr", element("th", readable(name), scope="row"), element("td", cell)))
        return element("table", element("tbody", *rows), class_="fields")


def _flat(value: Any) -> Html | None:
    """Return an object without nested values on one line; None for anything else."""
    if not isinstance(value, dict) or not value or any(isinstance(child, dict | list) for child in value.values()):
        return None
    return element("span", *(_named(name, child) for name, child in value.items() if child is not None), dir="auto")


def _named(name: str, value: Any) -> Html:
    return fragment(element("span", f"{readable(name)}: ", class_="dim"), plain(value), "; ")


def actions_html(actions: Any) -> Html | None:
    """Return a numbered list of actions in their order; None unless it is a list of texts or of objects with one."""
    if not isinstance(actions, list) or not actions:
        return None
    items: list[tuple[float, Html]] = []
    for number, action in enumerate(actions):
        said = {"action": action} if isinstance(action, str) else action
        if not isinstance(said, dict) or not isinstance(said.get("action"), str):
            return None
        notes = [
            f"{readable(name)}: {plain(text)}"
            for name, text in said.items()
            if name not in {"action", "order"} and text not in (None, "", [], {})
        ]
        order = said.get("order")
        position = float(order) if not isinstance(order, bool | str | list | dict | None) else float(number)
        note = element("div", "; ".join(notes), class_="dim") if notes else ""
        items.append((position, element("li", said["action"], note, dir="auto")))
    return element("ol", *(item for _, item in sorted(items, key=lambda entry: entry[0])))


def prose(text: str) -> Html:
    """Return text with its line breaks; long text scrolls in a box, and is printed in full."""
    if not text.strip():
        return element("span", "(empty)", class_="dim")
    return element("div", text, class_="prose", dir="auto", tabindex=0 if len(text) > _LONG_PROSE else None)


def citations_html(citations: Any, folding: Folding) -> Html:
    """Return citations, linked if they have a web address."""
    if not isinstance(citations, list) or not citations:
        return element("p", "No citations.", class_="dim")
    return element("ul", *(element("li", _citation(citation, folding)) for citation in citations), class_="citations")


def _citation(citation: Any, folding: Folding) -> Html:
    if not isinstance(citation, dict):
        return folding.value(citation)
    texts = {name: text for name, text in citation.items() if isinstance(text, str)}
    address, title = texts.get("url", ""), texts.get("title", "")
    rest = {name: child for name, child in citation.items() if name not in {"url", "title"}}
    notes = [f"{readable(name)}: {plain(text)}" for name, text in rest.items()]
    label = title or address or "(no title)"
    parts: list[Child] = [link(address, label) if address else label]
    if address and title:
        parts.append(element("span", f" — {address}", class_="address"))
    if notes:
        parts.append(element("span", f" ({'; '.join(notes)})", class_="dim"))
    return fragment(*parts)


def readable(name: str) -> str:
    """Return a field's name in words."""
    return name.replace("_", " ")


def plain(value: Any) -> str:
    """Return a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else canonical_text(value)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return plural(len(value), "entry", "entries")
    return plural(len(value), "field") if isinstance(value, dict) else "a value"
