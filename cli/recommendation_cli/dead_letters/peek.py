"""`recs dlq peek`."""

import sys
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.dead_letters.errors import explained_queue
from recommendation_cli.dead_letters.letter import POISON, DeadLetter
from recommendation_cli.dead_letters.options import QueueOptions
from recommendation_cli.dead_letters.receiving import Held, hold_seconds, holding, read_depth
from recommendation_cli.dead_letters.selection import Selection
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age, plural
from recommendation_shared import limits

_MOST_TEXT: Final = 400  # characters of any one field; a body that is no envelope may hold anything
_INDENT: Final = 9  # columns, under the age


def show_letters(runtime: Runtime, options: QueueOptions, selection: Selection, limit: int, output: str) -> None:
    """Print up to `limit` dead letters that pass the filters, oldest first."""
    target = options.dead_letters(runtime)
    found: list[DeadLetter] = []
    with explained_queue(target):
        sqs = runtime.connect_queues(target)
        depth = read_depth(sqs, target.url)
        hold = hold_seconds(limit if selection.is_whole else depth.visible)
        with holding(Held(sqs, target.url, hold, runtime.monotonic)) as held:
            for letters in held.receive(lambda: _wanted(limit - len(found), selection)):
                found.extend([letter for letter in letters if selection.passes(letter)][: limit - len(found)])
    found.sort(key=lambda letter: letter.sent_at)
    now = runtime.now()
    if output != "table":
        write_records(sys.stdout.buffer, [_document(letter, now) for letter in found], output)
    else:
        console = open_terminal(runtime.environ)
        for letter in found:
            _print(console, letter, now)
    sys.stdout.flush()
    if not found:
        hidden = f" ({depth.in_flight} are in flight, hidden by another reader)" if depth.in_flight else ""
        which = "" if selection.is_whole else f" that the filters let pass among {held.looked_at}"
        raise NothingFoundError(f"No dead letter{which} in the {target}{hidden}.")
    if output == "table":
        click.echo(
            f"\n{plural(len(found), 'dead letter')} of about {depth.visible} in {visible(target.name)}.", err=True
        )


def _wanted(missing: int, selection: Selection) -> int:
    """Return how many to receive next: where filters discard some, ask for as many as there may be."""
    return missing if selection.is_whole else missing and limits.SQS_BATCH_ENTRIES


def _print(console: Console, letter: DeadLetter, now: float) -> None:
    # Without an envelope in the body there is no name to show.
    whose = " ".join(filter(None, (_short(letter, "incidentId"), _short(letter, "agentType"))))
    style = "yellow" if letter.reason in POISON else "bold"
    head = Text(f"{age(now - letter.sent_at):<{_INDENT}}").append(_cut(letter.reason), style)
    if whose:
        head.append(f"  {whose}")
    lines = [head]
    if letter.detail:
        lines.append(Text(" " * _INDENT + _cut(letter.detail)))
    replays = f", replays: {letter.replays}" if letter.replays else ""
    lines.append(Text(f"{' ' * _INDENT}message {letter.message_id}, receives: {letter.receives}{replays}", style="dim"))
    for line in lines:
        console.print(line, no_wrap=True, overflow="ellipsis")


def _document(letter: DeadLetter, now: float) -> dict[str, Any]:
    return {
        "messageId": letter.message_id,
        "reason": letter.reason,
        "detail": letter.detail or None,
        "poison": letter.reason in POISON,
        **{
            name: letter.field(name)[:_MOST_TEXT] or None
            for name in ("recommendationId", "incidentId", "executionId", "agentType")
        },
        "sentAt": letter.sent_key,
        "ageSeconds": int(now - letter.sent_at),
        "receives": letter.receives,
        "replays": letter.replays,
        "bodyBytes": len(letter.body.encode(errors="surrogatepass")),
    }


def _short(letter: DeadLetter, name: str) -> str:
    return _cut(letter.field(name))


def _cut(text: str) -> str:
    return visible(text[:_MOST_TEXT])
