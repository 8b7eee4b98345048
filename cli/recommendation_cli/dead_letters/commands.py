"""The commands of `recs dlq`. What they do is imported when they run, so that help is instant."""

from pathlib import Path
from typing import Any

import click

from recommendation_cli.dead_letters.options import (
    QueueOptions,
    destination_options,
    hold_option,
    queue_options,
    selection_options,
    sending_options,
    take_selection,
)
from recommendation_cli.options import form_option
from recommendation_cli.runtime import Runtime

_new_file = click.Path(dir_okay=False, path_type=Path)
_saved_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    epilog="""\b
Examples:
  recs dlq status
  recs dlq peek --reason InvalidEnvelope
  recs dlq redrive --incident incident-7          what would be moved
  recs dlq redrive --incident incident-7 --yes    move it
  recs dlq save poison.jsonl --reason InvalidJson
  recs dlq purge poison.jsonl
  recs dlq restore poison.jsonl --include-poison  the way back"""
)
@click.pass_context
def dlq(ctx: click.Context, /) -> None:
    """Look at dead letters, and redrive, save, purge or restore them.

    Only redrive --yes, restore --yes and purge change anything. Options before `dlq` hold for its commands too.
    """
    ctx.default_map = {name: dict(ctx.default_map or {}) for name in dlq.commands}


@dlq.command(
    epilog="""\b
Examples:
  recs dlq status
  recs dlq status --sample 1000 -o json | jq .reasons"""
)
@click.option("--sample", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="Look at N.")
@form_option
@queue_options
@click.pass_obj
def status(runtime: Runtime, /, sample: int, output: str, **options: Any) -> None:
    """Show how many, how old and why.

    And whether SQS is moving them at the moment.

    Ages and reasons are those of a sample, which is hidden from others for a moment.
    """
    from recommendation_cli.dead_letters.status import show_status

    show_status(runtime, QueueOptions(**options), sample, output)


@dlq.command(
    epilog="""\b
Examples:
  recs dlq peek
  recs dlq peek --reason InvalidEnvelope --limit 100
  recs dlq peek --newer-than 12:00 -o jsonl | jq -r .recommendationId"""
)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="Show N.")
@selection_options
@form_option
@queue_options
@click.pass_obj
def peek(runtime: Runtime, /, limit: int, output: str, **options: Any) -> None:
    """Show some: why, how old, whose. Never their content.

    SQS chooses which; they are given back at once, and count one more receive.
    """
    from recommendation_cli.dead_letters.peek import show_letters

    selection = take_selection(options)
    show_letters(runtime, QueueOptions(**options), selection, limit, output)


@dlq.command(
    epilog="""\b
Without --yes nothing is changed: it says what would be moved, and what would be left.
Poison (InvalidJson, InvalidEnvelope, IdMismatch, IdConflict, ItemRejected) is left
where it is, unless its --reason is named or --include-poison is given.

\b
Everything, without filter or limit, is moved by SQS itself. Anything else is moved
one by one; the journal then lets the next run go on wherever this one was ended.

\b
Examples:
  recs dlq redrive
  recs dlq redrive --yes --rate 50
  recs dlq redrive --reason RetriesExhausted --older-than 1h --limit 100 --yes"""
)
@click.option("--yes", is_flag=True, help="Really move them.")
@selection_options
@sending_options
@hold_option
@queue_options
@click.pass_obj
def redrive(runtime: Runtime, /, **options: Any) -> None:
    """Send them back to the queue. A dry run without --yes."""
    from recommendation_cli.dead_letters.redrive.run import Order, redrive_letters

    selection = take_selection(options)
    order = Order(selection, **{name: options.pop(name) for name in Order._fields if name != "selection"})
    redrive_letters(runtime, QueueOptions(**options), order)


@dlq.command(
    epilog="""\b
Examples:
  recs dlq save everything.jsonl
  recs dlq save poison.jsonl --reason InvalidJson --reason InvalidEnvelope"""
)
@click.argument("file", type=_new_file)
@selection_options
@hold_option
@queue_options
@click.pass_obj
def save(runtime: Runtime, /, file: Path, hold: int | None, **options: Any) -> None:
    """Write them to a new FILE, bodies and all.

    One JSON object a line. They stay in the queue. Only the file's owner may read it.
    """
    from recommendation_cli.dead_letters.saved.save import save_letters

    selection = take_selection(options)
    save_letters(runtime, QueueOptions(**options), selection, file, hold)


@dlq.command(
    epilog="""\b
Examples:
  recs dlq save poison.jsonl --reason InvalidJson
  recs dlq purge poison.jsonl"""
)
@click.argument("file", type=_saved_file)
@click.option("--confirm", metavar="NAME", help="The dead-letter queue's name, instead of typing it when asked.")
@hold_option
@queue_options
@click.pass_obj
def purge(runtime: Runtime, /, file: Path, confirm: str | None, hold: int | None, **options: Any) -> None:
    """Delete for ever those that a saved FILE holds.

    `recs dlq save` writes it. Each is compared with the file first. What is not in it stays in the queue.
    """
    from recommendation_cli.dead_letters.saved.purge import purge_letters

    purge_letters(runtime, QueueOptions(**options), file, confirm, hold)


@dlq.command(
    epilog="""\b
Without --yes nothing is sent: it says what would be. The journal keeps what was sent, so
that running it again, also after it was killed, sends only the rest. What is still in the
dead-letter queue is better redriven, or it is sent twice; it would be stored once all the same.

\b
Examples:
  recs dlq restore saved.jsonl
  recs dlq restore saved.jsonl --yes --rate 50
  recs dlq restore saved.jsonl --reason RetriesExhausted --incident incident-7 --yes"""
)
@click.argument("file", type=_saved_file)
@click.option("--yes", is_flag=True, help="Really send them.")
@selection_options
@sending_options
@destination_options
@click.pass_obj
def restore(runtime: Runtime, /, file: Path, **options: Any) -> None:
    """Send to the queue what a saved FILE holds.

    `recs dlq save` writes it; attributes are kept. A dry run without --yes. As with redrive, poison is left out unless
    its --reason is named or --include-poison is given.
    """
    from recommendation_cli.dead_letters.redrive.run import Order
    from recommendation_cli.dead_letters.saved.restore import restore_letters

    selection = take_selection(options)
    order = Order(selection, **{name: options.pop(name) for name in Order._fields if name in options})
    restore_letters(runtime, QueueOptions(**options), file, order)
