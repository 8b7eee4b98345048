"""The commands of `recs dlq`. Their code is imported when they run, so that help is instant."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from recommendation_cli.dead_letters.options import (
    QueueOptions,
    ReplayOptions,
    hold_option,
    with_destination,
    with_queues,
    with_replay,
    with_selection,
)
from recommendation_cli.options.table import output_option
from recommendation_cli.runtime import Runtime

if TYPE_CHECKING:
    from recommendation_cli.dead_letters.selection import Selection

_NEW_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_SAVED_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="""\b
Examples:
  recs dlq status
  recs dlq status --sample 1000 -o json | jq .reasons"""
)
@click.option(
    "--sample", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="Inspect at most N."
)
@output_option
@with_queues
@click.pass_obj
def status(runtime: Runtime, queues: QueueOptions, /, sample: int, output: str) -> None:
    """Show how many dead letters there are, how old they are, and why.

    Also shows whether SQS is moving them at the moment. Ages and reasons are those of a sample, which is hidden from
    other readers for a moment, and whose receive counts rise by one.
    """
    from recommendation_cli.dead_letters.status import show_status

    show_status(runtime, queues, sample, output)


@click.command(
    epilog="""\b
Examples:
  recs dlq peek
  recs dlq peek --reason InvalidEnvelope --limit 100
  recs dlq peek --newer-than 12:00 -o jsonl | jq -r .recommendationId"""
)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="Show at most N.")
@with_selection
@output_option
@with_queues
@click.pass_obj
def peek(runtime: Runtime, queues: QueueOptions, selection: "Selection", /, limit: int, output: str) -> None:
    """Show some dead letters, but never their content.

    Prints why each failed, how old it is and where it came from. SQS chooses which ones. They become visible again at
    once. Each receive adds one to a message's receive count: without a filter that is one for each message shown, with
    one up to the whole queue. The line below the list says how many it was.
    """
    from recommendation_cli.dead_letters.peek import show_letters

    show_letters(runtime, queues, selection, limit, output)


@click.command(
    epilog="""Without --yes nothing is changed: it shows what would be moved and what would be left. Poison
(InvalidJson, InvalidEnvelope, IdMismatch, IdConflict, ItemRejected) is left unless you name its --reason or pass
--include-poison.

Without a filter or limit, SQS moves the whole queue itself. Otherwise messages are moved one by one, and the journal
lets the next run continue where this one stopped.

\b
Examples:
  recs dlq redrive
  recs dlq redrive --yes --rate 50
  recs dlq redrive --reason RetriesExhausted --older-than 1h --limit 100 --yes"""
)
@click.option("--yes", is_flag=True, help="Move them.")
@with_selection
@with_replay
@hold_option
@with_queues
@click.pass_obj
def redrive(  # noqa: PLR0913 - the option groups are positional
    runtime: Runtime,
    queues: QueueOptions,
    replay: ReplayOptions,
    selection: "Selection",
    /,
    *,
    yes: bool,
    hold: int | None,
) -> None:
    """Send dead letters back to the queue (a dry run without --yes)."""
    from recommendation_cli.dead_letters.redrive.run import redrive_letters

    redrive_letters(runtime, queues, selection, replay, yes=yes, hold=hold)


@click.command(
    epilog="""\b
Examples:
  recs dlq save everything.jsonl
  recs dlq save poison.jsonl --reason InvalidJson --reason InvalidEnvelope"""
)
@click.argument("file", type=_NEW_FILE)
@with_selection
@hold_option
@with_queues
@click.pass_obj
def save(runtime: Runtime, queues: QueueOptions, selection: "Selection", /, file: Path, hold: int | None) -> None:
    """Write dead letters to a new FILE, including their content.

    The file has one JSON object a line, and only its owner may read it. The queue keeps the messages.
    """
    from recommendation_cli.dead_letters.saved.save import save_letters

    save_letters(runtime, queues, selection, file, hold)


@click.command(
    epilog="""\b
Examples:
  recs dlq save poison.jsonl --reason InvalidJson
  recs dlq purge poison.jsonl"""
)
@click.argument("file", type=_SAVED_FILE)
@click.option("--confirm", metavar="NAME", help="The dead-letter queue's name, instead of typing it at the prompt.")
@hold_option
@with_queues
@click.pass_obj
def purge(runtime: Runtime, queues: QueueOptions, /, file: Path, confirm: str | None, hold: int | None) -> None:
    """Permanently delete the dead letters that a saved FILE holds.

    `recs dlq save` writes the file. Each message is compared with it first; messages not in the file stay in the queue.
    """
    from recommendation_cli.dead_letters.saved.purge import purge_letters

    purge_letters(runtime, queues, file, confirm, hold)


@click.command(
    epilog="""Without --yes nothing is sent: it shows what would be. The journal records what was sent, so that the next
run, even after this one was killed, sends only the rest. Redrive messages that are still in the dead-letter queue
instead: restoring those sends them twice, although they are stored only once.

\b
Examples:
  recs dlq restore saved.jsonl
  recs dlq restore saved.jsonl --yes --rate 50
  recs dlq restore saved.jsonl --incident incident-7 --limit 100 --yes"""
)
@click.argument("file", type=_SAVED_FILE)
@click.option("--yes", is_flag=True, help="Send them.")
@with_selection
@with_replay
@with_destination
@click.pass_obj
def restore(  # noqa: PLR0913 - the option groups are positional
    runtime: Runtime,
    queues: QueueOptions,
    replay: ReplayOptions,
    selection: "Selection",
    /,
    *,
    file: Path,
    yes: bool,
) -> None:
    """Send the dead letters in a saved FILE to the queue.

    Without --yes, this is a dry run. `recs dlq save` writes the file; message attributes are kept. As in a redrive,
    poison is left out unless you name its --reason or pass --include-poison.
    """
    from recommendation_cli.dead_letters.saved.restore import restore_letters

    restore_letters(runtime, queues, selection, replay, file, yes=yes)
