"""How reviews look on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.marks.text import actor, minute
from recommendation_cli.reviews.review import Review, Verdict
from recommendation_cli.screen.visible import visible_lines

_STYLES: Final = {
    Verdict.HELPFUL: "green",
    Verdict.PARTLY: "yellow",
    Verdict.WRONG: "bold red",
    Verdict.HARMFUL: "bold red",
    Verdict.NOT_FOLLOWED: "dim",
}


def verdict_mark(review: Review | None) -> Text:
    """Return a verdict to append to a status, such as ` (helpful)`; nothing without one."""
    if review is None or review.verdict is None:
        return Text()
    return Text(f" ({review.verdict})", style=_STYLES[review.verdict])


def said(review: Review) -> Iterator[tuple[str, str]]:
    """Yield the names and the texts of what a review says; the texts are safe to print and may have line breaks."""
    texts = {
        "verdict": review.verdict,
        "root cause": review.root_cause,
        "resolved by": review.resolved_by,
        "note": review.note,
    }
    for name, text in texts.items():
        if text is not None:
            yield name, visible_lines(text)


def author(review: Review) -> str:
    """Return who wrote a review, and when."""
    return f"{actor(review.by)}, {minute(review.at)}"


def print_conclusion(console: Console, review: Review | None) -> None:
    """Print what a review says about an incident, above a list of its recommendations, if it says anything."""
    if review is None or review.is_retraction:
        return
    for name, text in said(review):
        console.print(Text.assemble((f"{name}: ".capitalize(), "bold"), text), soft_wrap=not console.is_terminal)
    console.print(Text(f"({author(review)})", style="dim"), soft_wrap=True)
    console.print()


def print_reviews(console: Console, history: Sequence[Review]) -> None:
    """Print the reviews of one recommendation, which are in order of time, the one that counts first."""
    if not history:
        return
    console.print()
    console.print(Text("reviews", style="bold"))
    for number, review in enumerate(reversed(history)):
        mark = "superseded: " if number else ""
        verdict = Text(
            f"{mark}{review.verdict}", style="dim" if number or not review.verdict else _STYLES[review.verdict]
        )
        console.print(verdict.append(f"  {author(review)}", style="dim"), soft_wrap=True)
        if review.note is not None:
            console.print(Text(visible_lines(review.note)), soft_wrap=not console.is_terminal)
