"""The tables of the CLI at every width."""

import io
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.text import Text

from recommendation_cli.screen.table import Column, Row, print_fields, print_table

REASONS = (Column("reason", least=6), Column("messages", right=True), Column("what"))


def _console(width: int, *, terminal: bool = False) -> Console:
    return Console(width=width, file=io.StringIO(), color_system=None, force_terminal=terminal)


def _print(width: int, columns: Sequence[Column], *rows: Row | Sequence[str], fold: bool | None = False) -> list[str]:
    console = _console(width)
    with console.capture() as printed:
        print_table(console, columns, rows, fold=fold)
    return printed.get().splitlines()


def test_columns_are_as_wide_as_their_cells_and_numbers_align_right() -> None:
    """Wide characters count as two cells, and no line ends with spaces."""
    rows = (("数据库", "7", "a"), ("InvalidJson", "1,000", ""))
    assert _print(80, REASONS, *rows) == [
        "reason       messages  what",
        "数据库              7  a",
        "InvalidJson     1,000",
    ]


def test_narrow_terminal_gets_the_last_column_on_its_own_line() -> None:
    """It says what would happen, which must not be cut off."""
    row = ("InvalidJson", "7", "would fail again")
    assert _print(30, REASONS, row, fold=None) == [
        "reason       messages",
        "    what",
        "InvalidJson         7",
        "    would fail again",
    ]
    assert len(_print(40, REASONS, row, fold=None)) == 2


def test_columns_that_may_shrink_do_so_from_the_right() -> None:
    """They keep their least width, and cut text ends with an ellipsis."""
    columns = (Column("name", least=4, most=8), Column("when"), Column("text", least=5))
    row = ("abcdefghijkl", "12:00", "one two three")
    assert _print(26, columns, row) == ["name      when   text", "abcdefg…  12:00  one two …"]
    assert _print(20, columns, row) == ["name    when   text", "abcde…  12:00  one …"]


def test_lines_above_and_below_a_row_span_all_columns() -> None:
    """They are headings of groups, for example, and do not widen a column."""
    row = Row(("a", "1", "x"), above=[Text(""), Text("a heading that is long")], below=[Text("    more")])
    assert _print(40, REASONS, row) == [
        "reason  messages  what",
        "",
        "a heading that is long",
        "a              1  x",
        "    more",
    ]


def test_cells_keep_their_style_and_are_not_modified() -> None:
    """The caller may print them again."""
    cell = Text("failed", style="red")
    console = Console(width=40, file=io.StringIO(), color_system="standard", force_terminal=True)
    with console.capture() as printed:
        print_table(console, (Column("state", least=2), Column("n")), [(cell, "1")])
    assert "\x1b[31mfailed\x1b[0m" in printed.get()
    assert cell.plain == "failed"


@pytest.mark.parametrize(
    ("terminal", "expected"),
    [
        (True, ["  queue  one two", "         three"]),
        (False, ["  queue  one two three"]),
    ],
)
def test_long_value_wraps_in_its_column_only_on_a_terminal(*, terminal: bool, expected: list[str]) -> None:
    """Programs that read a pipe search by line."""
    console = _console(17, terminal=terminal)
    with console.capture() as printed:
        print_fields(console, [("queue", "one two three")], indent=2)
    assert [line.rstrip() for line in printed.get().splitlines()] == expected


def test_a_value_longer_than_the_terminal_is_wrapped_and_not_cut() -> None:
    """A URL, for instance, which is read to its end."""
    console = _console(20, terminal=True)
    url = "http://127.0.0.1:4566/opx-recommendations-dlq"
    with console.capture() as printed:
        print_fields(console, [("ok", url)])
    assert "".join(printed.get().split()) == f"ok{url}"
