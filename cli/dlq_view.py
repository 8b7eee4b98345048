"""Small texts and tables that the commands on dead letters share."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

_GAP: Final = "  "
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def age(seconds: float) -> str:
    """Return an age in its two largest units, such as `3d 4h`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for name, size in _UNITS:
        count, rest = divmod(left, size)
        if count or parts or size == 1:
            parts.append(f"{count}{name}")
            left = rest
        if len(parts) == 2:  # noqa: PLR2004 - see the docstring
            break
    return " ".join(part for part in parts if part[0] != "0" or len(parts) == 1)


def counted(number: int) -> str:
    """Return a number of dead letters in words."""
    return "1 dead letter" if number == 1 else f"{number} dead letters"


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
