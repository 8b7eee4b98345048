"""`recs dlq peek`: some dead letters, one by one, without their content."""

import sys
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.letter import DeadLetter
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.selection import Selection
from recommendation_cli.dead_letters.source import dead_letter_name, open_dead_letters
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age
from recommendation_shared import limits
from recommendation_shared.queue.batches import utf8_bytes
from recommendation_shared.wording import plural

_MOST_TEXT: Final = 400  # characters of any field; a body that is not an envelope may hold anything
_INDENT: Final = 9  # columns, which the age fills


def show_letters(runtime: Runtime, options: QueueOptions, selection: Selection, limit: int, output: str) -> None:
    """Print up to `limit` dead letters that match the filters, oldest first."""
    session = open_dead_letters(runtime, options)
    if next_queue := dead_letter_name(session.depth):
        click.echo(f"Each receive counts: {session.name} has a redrive policy of its own, to {next_queue}.", err=True)
    chosen: list[DeadLetter] = []
    with session.hold(expected=limit if selection.is_everything else None) as held:
        for letters in held.receive(lambda: _wanted(limit - len(chosen), selection)):
            chosen.extend([letter for letter in letters if selection.matches(letter)][: limit - len(chosen)])
    chosen.sort(key=lambda letter: letter.sent_at)
    now = runtime.now()
    if output != "table":
        write_records(sys.stdout.buffer, [_document(letter, now) for letter in chosen], output)
    else:
        console = open_terminal(runtime.environ)
        for letter in chosen:
            _print(console, letter, now)
    sys.stdout.flush()
    if not chosen:
        raise NothingFoundError(session.nothing_matches(held.received))
    if output == "table":
        count = f"{len(chosen):,} of about {plural(session.depth.visible, 'message')} in {session.name}."
        click.echo(f"\n{count} {_cost(held.received)}", err=True)


def _cost(received: int) -> str:
    """Return the sentence that says how many receives it took; a filter is applied after receiving."""
    whose = "its receive count" if received == 1 else "the receive count of each"
    return f"This cost {plural(received, 'receive')}: {whose} is one higher."


def _wanted(missing: int, selection: Selection) -> int:
    """Return how many to receive next: as many as possible where filters will discard some."""
    return missing if selection.is_everything else missing and limits.SQS_BATCH_ENTRIES


def _print(console: Console, letter: DeadLetter, now: float) -> None:
    # Where the body is not an envelope, there are no names to show.
    origin = " ".join(filter(None, (_short(letter.field(name)) for name in ("incidentId", "agentType"))))
    head = Text(f"{age(now - letter.sent_at):<{_INDENT}}")
    head.append(_short(letter.reason), "yellow" if letter.is_poison else "bold")
    if origin:
        head.append(f"  {origin}")
    lines = [head]
    if letter.detail:
        lines.append(Text(" " * _INDENT + _short(letter.detail)))
    replays = f", replays: {letter.replays}" if letter.replays else ""
    lines.append(Text(f"{' ' * _INDENT}message {letter.message_id}, receives: {letter.receives}{replays}", style="dim"))
    for line in lines:
        console.print(line, no_wrap=True, overflow="ellipsis")


def _document(letter: DeadLetter, now: float) -> dict[str, Any]:
    return {
        "messageId": letter.message_id,
        "reason": letter.reason,
        "detail": letter.detail or None,
        "poison": letter.is_poison,
        **{
            name: letter.field(name)[:_MOST_TEXT] or None
            for name in ("recommendationId", "incidentId", "executionId", "agentType")
        },
        "sentAt": letter.sent_key,
        "ageSeconds": int(now - letter.sent_at),
        "receives": letter.receives,
        "replays": letter.replays,
        "bodyBytes": utf8_bytes(letter.body),
    }


def _short(text: str) -> str:
    return visible(text[:_MOST_TEXT])
