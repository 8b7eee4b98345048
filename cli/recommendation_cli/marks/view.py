"""How an incident's mark looks on a terminal, above what its agents said."""

from rich.console import Console
from rich.text import Text

from recommendation_cli.marks.text import notice
from recommendation_cli.search.marks import UnreadableMark
from recommendation_shared.item.marks import Mark


def print_notice(console: Console, mark: Mark | UnreadableMark | None) -> None:
    """Print that an incident is held or erased, by whom and why; otherwise nothing."""
    text = notice(mark)
    if text:
        console.print(Text(text, style="cyan"), soft_wrap=not console.is_terminal)
