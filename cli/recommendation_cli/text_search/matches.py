"""Find a text in a recommendation, whatever its case, and the sentence around it."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document

_SEARCHED: Final = ("reasoning", "recommendation", "citations")
_SENTENCE_END: Final = re.compile(r"[.!?]\s+|\n+")
_MOST: Final = 300  # characters of a sentence: an agent may write without full stops


class Match(NamedTuple):
    """Where a text was found; `sentence` is safe to print, and `start` and `end` delimit the text in it."""

    field: str
    sentence: str
    start: int
    end: int


def matches(document: Document, pattern: re.Pattern[str]) -> Iterator[Match]:
    """Yield the first match in each text of the reasoning, the findings and the citations; the same once."""
    seen: set[Match] = set()
    for field in _SEARCHED:
        for path, text in _texts(document.get(field), field):
            found = pattern.search(text)
            match = None if found is None else _match(path, text, found)
            if match is not None and match not in seen:
                seen.add(match)
                yield match


def pattern_of(text: str) -> re.Pattern[str]:
    """Return the pattern that finds a text, whatever its case and white space."""
    return re.compile(r"\s+".join(map(re.escape, text.split())), re.IGNORECASE)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _texts(child, f"{path}.{name}")
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child, path)


def _match(path: str, text: str, found: re.Match[str]) -> Match:
    ends = [end.end() for end in _SENTENCE_END.finditer(text)]
    start = max((end for end in ends if end <= found.start()), default=0)
    stop = min((end for end in ends if end >= found.end()), default=len(text))
    start, stop = max(start, found.start() - _MOST // 2), min(stop, found.end() + _MOST // 2)
    before, inside, after = (
        visible(" ".join(part.split(" "))) for part in (text[start : found.start()], found[0], text[found.end() : stop])
    )
    return Match(visible(path), before + inside + after.rstrip(), len(before), len(before) + len(inside))
