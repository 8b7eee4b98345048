"""Agent output is untrusted: characters that steer a terminal, or hide or reorder text, are shown as escapes."""

import re
from typing import Final

# C0, DEL and C1 controls; soft hyphen; bidirectional controls; zero-width characters (but not the two joiners, which
# emoji and several scripts need); line and paragraph separators; surrogates; interlinear and tag characters.
_STEERING: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_STEERING_EXCEPT_LAYOUT: Final = re.compile(_STEERING.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def visible(text: str) -> str:
    r"""Return `text` on one line, its control characters as escapes such as `\x1b` and `\n`."""
    return _STEERING.sub(_escape, text)


def visible_lines(text: str) -> str:
    """Return `text` with its line breaks and tabs kept and all other control characters as escapes."""
    return _STEERING_EXCEPT_LAYOUT.sub(_escape, text.replace("\r\n", "\n"))


def json_escaped(text: str) -> str:
    r"""Return JSON text of the same value in which control characters inside strings are `\uXXXX` escapes."""
    return _STEERING_EXCEPT_LAYOUT.sub(_json_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
