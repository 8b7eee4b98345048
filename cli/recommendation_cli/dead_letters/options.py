"""The options of the commands on dead letters; each group reaches a command as one value."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from recommendation_cli.aws.queues import REDRIVE_ROLE, QueueTarget
from recommendation_cli.completion import beginning
from recommendation_cli.options.declaring import Declaration, declaring, options_as
from recommendation_cli.options.listing import agents_option, moment
from recommendation_cli.options.table import location_options
from recommendation_cli.runtime import Runtime

if TYPE_CHECKING:
    from recommendation_cli.dead_letters.selection import Selection, Triage

MOST_RATE: Final = 500  # messages a second; SQS's limit for a move task
_LONGEST_HOLD: Final = 43_200  # seconds; SQS's limit for a visibility timeout


class QueueOptions(NamedTuple):
    """Which queues, and where they are; `role` is the one to use them with, which messages name."""

    dlq_url: str | None = None
    queue_url: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    role: str = REDRIVE_ROLE

    def dead_letters(self, runtime: Runtime) -> QueueTarget:
        """Return the dead-letter queue; raise a usage error if it is not specified."""
        return self._target(runtime, self.dlq_url, "dead-letter queue", "--dlq-url", "RECOMMENDATIONS_DLQ_URL")

    def destination(self, runtime: Runtime) -> QueueTarget:
        """Return the queue that dead letters are sent to; raise a usage error if it is not specified."""
        return self._target(runtime, self.queue_url, "queue", "--queue-url", "RECOMMENDATIONS_QUEUE_URL")

    def known_queue(self, runtime: Runtime) -> QueueTarget | None:
        """Return the queue that dead letters come from and are sent to; None if it is not specified."""
        is_known = self.queue_url or runtime.environ.get("RECOMMENDATIONS_QUEUE_URL")
        return self.destination(runtime) if is_known else None

    def _target(self, runtime: Runtime, given: str | None, noun: str, option: str, variable: str) -> QueueTarget:
        url = given or runtime.environ.get(variable)
        if not url:
            raise click.UsageError(f"Which {noun}? Pass {option}, or set {variable} (a stack output).")
        return QueueTarget(url, noun, option, self.region, self.profile, self.endpoint_url, self.role)


class ReplayOptions(NamedTuple):
    """How dead letters are sent to the queue: how many at most, how many a second, and where each step is recorded."""

    include_poison: bool
    limit: int | None
    rate: int | None
    journal: Path | None

    def triage(self, selection: "Selection") -> "Triage":
        """Return what decides which dead letters are sent."""
        from recommendation_cli.dead_letters.selection import Triage

        return Triage(selection, self.include_poison)


def complete_reasons(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the reasons that begin with what was typed."""
    from recommendation_shared.queue.dead_letter import POISON, RETRIES_EXHAUSTED

    return beginning((RETRIES_EXHAUSTED, *POISON), incomplete)


def _selection(
    reason: tuple[str, ...],
    incident: tuple[str, ...],
    agents: tuple[str, ...],
    older_than: str | None,
    newer_than: str | None,
) -> "Selection":
    from recommendation_cli.dead_letters.selection import Selection

    if older_than is not None and newer_than is not None and newer_than > older_than:
        raise click.UsageError("Nothing is both older than --older-than and newer than --newer-than: swap them.")
    return Selection(frozenset(reason), frozenset(incident), frozenset(agents), newer_than, older_than)


destination_options: Final[Declaration] = declaring(
    click.option("--queue-url", metavar="URL", help="Queue [default: $RECOMMENDATIONS_QUEUE_URL]."),
    location_options,
)
queue_options: Final[Declaration] = declaring(
    click.option("--dlq-url", metavar="URL", help="Dead-letter queue [default: $RECOMMENDATIONS_DLQ_URL]."),
    destination_options,
)
hold_option: Final[Declaration] = click.option(
    "--hold",
    type=click.IntRange(1, _LONGEST_HOLD),
    metavar="SECONDS",
    help="Hide messages from other readers for at most this long [default: 60 to 3600, by the queue's depth].",
)

with_queues: Final = options_as(QueueOptions, queue_options)
with_destination: Final = options_as(QueueOptions, destination_options)
with_selection: Final = options_as(
    _selection,
    click.option(
        "--reason",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_reasons,
        help="Only this failureReason, or RetriesExhausted; may be repeated.",
    ),
    click.option("--incident", multiple=True, metavar="ID", help="Only this incident; may be repeated."),
    agents_option(),
    click.option(
        "--older-than",
        metavar="TIME",
        callback=moment,
        help="Sent at or before TIME (local time unless it has an offset), such as 24h, 12:00 or 2026-01-31T12:00Z.",
    ),
    click.option("--newer-than", metavar="TIME", callback=moment, help="Sent at or after TIME."),
)
with_replay: Final = options_as(
    ReplayOptions,
    click.option("--include-poison", is_flag=True, help="Include dead letters that are certain to fail again."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Send at most N."),
    click.option("--rate", type=click.IntRange(1, MOST_RATE), metavar="N", help="Send at most N a second."),
    click.option(
        "--journal",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="PATH",
        help="Record of what was sent [default: a file in $XDG_STATE_HOME/recs, else ~/.local/state/recs].",
    ),
)
