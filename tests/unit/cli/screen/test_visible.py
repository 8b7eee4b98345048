"""Control characters in agent output never reach a terminal."""

import json
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from recommendation_cli.screen.visible import visible, visible_lines
from recommendation_shared.exact_json.printable import CONTROLS, json_escaped

_CONTROLS = {chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp", "Cs")}
_REORDERING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_escape_sequences_are_shown_not_obeyed() -> None:
    """So are the 8-bit form of CSI, the bell, and text that reverses its neighbours."""
    assert visible("\x1b[2J\x9b31m\x07\u202eevil") == r"\x1b[2J\x9b31m\x07\u202eevil"
    assert visible("one\ntwo\tthree\r") == r"one\ntwo\tthree\r"
    assert visible("\U000e0041") == r"\U000e0041"


def test_ordinary_text_is_unchanged() -> None:
    """So are accents, other scripts, joined emoji, and what rich would take for markup."""
    text = "naïve 数据库 می‌خواهم 👩‍🚒 [bold]x[/] :smile:"
    assert visible(text) == text


def test_prose_keeps_its_lines_and_tabs() -> None:
    """A carriage return that would overwrite the line is shown as an escape."""
    assert visible_lines("one\r\n\ttwo\rthree\x1b") == "one\n\ttwo\\rthree\\x1b"


def test_no_control_character_counts_as_printable() -> None:
    """Printable text is not searched for them."""
    controls = re.compile(CONTROLS)
    assert not [char for char in map(chr, range(0x110000)) if controls.match(char) and char.isprintable()]


@given(st.text(st.characters(codec=None)))
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    """Whatever the agent wrote."""
    assert not set(visible(text)) & (_CONTROLS | _REORDERING)
    assert not set(visible_lines(text)) & ((_CONTROLS | _REORDERING) - {"\n", "\t"})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_is_the_same_value(text: str) -> None:
    """Programs read what the table holds, and terminals obey nothing."""
    escaped = json_escaped(json.dumps(text, ensure_ascii=False))
    assert json.loads(escaped) == text
    assert re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", escaped) is None
