"""Shows characters that control a terminal, or hide or reorder text, as escapes: agent output is untrusted."""

import re
from typing import Final

# C0, DEL and C1 controls; soft hyphen; bidirectional controls; zero-width characters (but not the two joiners, which
# emoji and several scripts need); line and paragraph separators; surrogates; interlinear and tag characters.
_CONTROLS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_CONTROLS_EXCEPT_LAYOUT: Final = re.compile(_CONTROLS.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def visible(text: str) -> str:
    r"""Return `text` on one line, with its control characters as escapes such as `\x1b` and `\n`."""
    return _CONTROLS.sub(_escape, text)


def visible_lines(text: str) -> str:
    """Return `text` with line breaks and tabs unchanged and all other control characters as escapes."""
    return _CONTROLS_EXCEPT_LAYOUT.sub(_escape, text.replace("\r\n", "\n"))


def json_escaped(text: str) -> str:
    r"""Return JSON text of the same value, with control characters in strings as `\uXXXX` escapes."""
    return _CONTROLS_EXCEPT_LAYOUT.sub(_json_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
