"""`recs export`, whose commands are imported when they are needed."""

from functools import partial
from typing import Final

import click

from recommendation_cli.lazy_commands import LazyCommands, imported

_COMMANDS: Final = LazyCommands(
    {
        name: partial(imported, f"export.commands:{name}")
        for name in ("incident", "agent", "execution", "period", "resume", "verify")
    }
)

_EPILOG: Final = """\b
Examples:
  recs export incident incident-7 incident-7.jsonl
  recs export agent consensus consensus.csv --since 30d
  recs export period january.jsonl --since 2026-01-01 --until 2026-01-31
  recs export period january.parquet --since 2026-01-01 --until 2026-01-31
  recs export incident incident-7 - --agent consensus | jq .confidence
  recs export period examples.jsonl --since 90d --dataset --redact note
  recs export resume january.jsonl
  recs export verify january.jsonl"""


@click.group(commands=_COMMANDS, epilog=_EPILOG)
@click.pass_context
def export(ctx: click.Context, /) -> None:
    """Write recommendations in full to a file, oldest first.

    JSON Lines (.jsonl) hold each document exactly. So does Parquet (.parquet), in its column `document` next to typed
    columns. CSV is for spreadsheets. An export that was interrupted, even killed, can be resumed without duplicates
    or gaps. With --dataset, the lines are examples for evaluation or fine-tuning instead: what agents said, and how
    people judged it.
    """
    ctx.default_map = {name: dict(ctx.default_map or {}) for name in export.commands}
