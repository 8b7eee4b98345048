"""Shows characters that control a terminal, or hide or reorder text, as escapes: agent output is untrusted."""

import re

from recommendation_shared.exact_json.printable import CONTROLS, CONTROLS_EXCEPT_LAYOUT


def visible(text: str) -> str:
    r"""Return `text` on one line, with its control characters as escapes such as `\x1b` and `\n`."""
    return text if text.isprintable() else re.sub(CONTROLS, _escape, text)  # no control character is printable


def visible_lines(text: str) -> str:
    """Return `text` with line breaks and tabs unchanged and all other control characters as escapes."""
    if text.isprintable():
        return text
    return re.sub(CONTROLS_EXCEPT_LAYOUT, _escape, text.replace("\r\n", "\n"))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
