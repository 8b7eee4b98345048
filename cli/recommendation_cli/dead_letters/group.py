"""`recs dlq`, whose commands are imported when they are needed."""

from functools import partial
from typing import Final

import click

from recommendation_cli.lazy_commands import LazyCommands, imported

_COMMANDS: Final = LazyCommands(
    {
        name: partial(imported, f"dead_letters.commands:{name}")
        for name in ("status", "peek", "redrive", "save", "purge", "restore")
    }
)


@click.group(
    commands=_COMMANDS,
    epilog="""\b
Examples:
  recs dlq status
  recs dlq peek --reason InvalidEnvelope
  recs dlq redrive --incident incident-7          show what would be moved
  recs dlq redrive --incident incident-7 --yes    move it
  recs dlq save poison.jsonl --reason InvalidJson
  recs dlq purge poison.jsonl
  recs dlq restore poison.jsonl --include-poison  undo the purge""",
)
@click.pass_context
def dlq(ctx: click.Context, /) -> None:
    """Inspect, redrive, save, purge or restore dead letters.

    Only redrive --yes, restore --yes and purge change anything. A queue that no other queue's redrive policy names is
    refused: nothing here touches a live queue's messages. Options before `dlq` also apply to its commands.
    """
    ctx.default_map = {name: dict(ctx.default_map or {}) for name in dlq.commands}
