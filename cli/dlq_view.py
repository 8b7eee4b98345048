"""The table that the commands on dead letters share."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

_GAP: Final = "  "


def print_table(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int]) -> None:
    """Print rows in columns as wide as their cells; the last takes what is left, and `right` are aligned so."""
    cells = [list(map(Text, row)) for row in (titles, *rows)]
    widths = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        line = Text(style="dim" if number == 0 else "")
        for column, cell in enumerate(row):
            if column in right:
                cell.pad_left(widths[column] - cell.cell_len)
            elif column < len(row) - 1:
                cell.pad_right(widths[column] - cell.cell_len)
            line.append_text(cell).append(_GAP)
        line.rstrip()
        console.print(line, no_wrap=True, overflow="ellipsis")
