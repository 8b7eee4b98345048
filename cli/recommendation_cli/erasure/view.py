"""Print what an erasure finds, and what it cannot reach."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from recommendation_cli.erasure.places import Found
from recommendation_cli.marks.text import entry_text
from recommendation_cli.screen.table import print_fields
from recommendation_cli.screen.visible import visible
from recommendation_shared.item.marks import Mark


def print_found(console: Console, incident_id: str, mark: Mark | None, found: Mapping[str, Found]) -> None:
    """Print how many things each place holds, and whether an erasure began or ended before."""
    console.print(Text(f"Incident {visible(incident_id)}", style="bold"), soft_wrap=not console.is_terminal)
    print_fields(console, [(name, f"{what.total:,} {what.where}".rstrip()) for name, what in found.items()], indent=2)
    if mark is not None and mark.is_erased:
        width = max(map(len, found))
        print_fields(console, [("mark", entry_text(mark.history[-1]))], indent=2, label_width=width)


def print_beyond(console: Console, sentences: Iterable[str]) -> None:
    """Print what cannot be reached."""
    console.print()
    console.print("This command does not reach:", soft_wrap=not console.is_terminal)
    print_fields(console, [("-", sentence) for sentence in sentences], indent=2)


def in_words(erased: Mapping[str, int]) -> str:
    """Return what was deleted, such as `14 recommendations, 2 dead letters`, or `nothing`."""
    return (
        ", ".join(
            f"{count:,} {name if count != 1 else name.removesuffix('s')}" for name, count in erased.items() if count
        )
        or "nothing"
    )
