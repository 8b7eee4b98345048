"""JSON that is safe to print: control characters, and those that hide or reorder text, are escaped."""

import re
from typing import Any, Final

from recommendation_shared.exact_json.canonical import canonical_text

# C0, DEL and C1 controls; soft hyphen; bidirectional controls; zero-width characters (but not the two joiners, which
# emoji and several scripts need); line and paragraph separators; surrogates; interlinear and tag characters. They are
# patterns that `re` compiles when it first needs them, which takes 1.5 ms.
CONTROLS: Final = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
CONTROLS_EXCEPT_LAYOUT: Final = CONTROLS.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f")


def json_escaped(text: str) -> str:
    r"""Return JSON text of the same value, with control characters in strings as `\uXXXX` escapes."""
    if text.isprintable():  # no control character is, and the pattern takes five times as long to find none
        return text
    return re.sub(CONTROLS_EXCEPT_LAYOUT, _json_escape, text)


def json_line(value: Any) -> bytes:
    """Return a value as one line of JSON Lines. Exports and the archive hold each document in this form."""
    return (json_escaped(canonical_text(value)) + "\n").encode()


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
