"""The options that the commands on dead letters share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.completion import beginning, complete_agents
from recommendation_cli.options import moment
from recommendation_cli.runtime import Runtime

if TYPE_CHECKING:
    from recommendation_cli.dead_letters.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])

MOST_RATE: Final = 500  # messages a second, SQS's own limit of a move task
_LONGEST_HOLD: Final = 43_200  # seconds, SQS's limit


class QueueOptions(NamedTuple):
    """Which queues, and where they are."""

    dlq_url: str | None = None
    queue_url: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def dead_letters(self, runtime: Runtime) -> QueueTarget:
        """Return the dead-letter queue; raise a usage error when none is named."""
        return self._target(runtime, self.dlq_url, "dead-letter queue", "--dlq-url", "RECOMMENDATIONS_DLQ_URL")

    def destination(self, runtime: Runtime) -> QueueTarget:
        """Return the queue that dead letters go back to; raise a usage error when none is named."""
        return self._target(runtime, self.queue_url, "queue", "--queue-url", "RECOMMENDATIONS_QUEUE_URL")

    def _target(self, runtime: Runtime, given: str | None, noun: str, option: str, variable: str) -> QueueTarget:
        url = given or runtime.environ.get(variable)
        if not url:
            raise click.UsageError(f"Which {noun}? Pass {option}, or set {variable} (an output of the stack).")
        return QueueTarget(url, noun, option, self.region, self.profile, self.endpoint_url)


def complete_reasons(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the reasons of dead letters that begin so."""
    from recommendation_cli.dead_letters.letter import POISON, RETRIES_EXHAUSTED

    return beginning((RETRIES_EXHAUSTED, *POISON), incomplete)


def queue_options(command: F) -> F:
    """Add the options that say which queues."""
    return _dead_letters(destination_options(command))


def destination_options(command: F) -> F:
    """Add the options that say which queue dead letters are sent to."""
    for option in reversed(
        (
            click.option("--queue-url", metavar="URL", help="Queue [default: $RECOMMENDATIONS_QUEUE_URL]."),
            click.option("--region", metavar="NAME", envvar="AWS_REGION", show_envvar=True, help="AWS region."),
            click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
            click.option("--endpoint-url", metavar="URL", help="SQS elsewhere, such as a local stack's."),
        )
    ):
        command = option(command)
    return command


def _dead_letters(command: F) -> F:
    return click.option("--dlq-url", metavar="URL", help="Dead letters [default: $RECOMMENDATIONS_DLQ_URL].")(command)


def sending_options(command: F) -> F:
    """Add what both commands take that send dead letters to the queue."""
    for option in reversed(
        (
            click.option("--include-poison", is_flag=True, help="Also those that are certain to fail again."),
            click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Send N at most."),
            click.option("--rate", type=click.IntRange(1, MOST_RATE), metavar="N", help="Send N a second at most."),
            click.option(
                "--journal",
                type=click.Path(dir_okay=False, path_type=Path),
                metavar="PATH",
                help="What was done [default: a file in $XDG_STATE_HOME/recs, else ~/.local/state/recs].",
            ),
        )
    ):
        command = option(command)
    return command


def hold_option(command: F) -> F:
    """Add the option that says for how long messages are hidden from others."""
    return click.option(
        "--hold",
        type=click.IntRange(1, _LONGEST_HOLD),
        metavar="SECONDS",
        help="Hide messages from others for as long at most [default: by the queue's depth, 60 to 3600].",
    )(command)


def selection_options(command: F) -> F:
    """Add the filters."""
    for option in reversed(
        (
            click.option(
                "--reason",
                multiple=True,
                metavar="NAME",
                shell_complete=complete_reasons,
                help="Only for this failureReason, or RetriesExhausted.",
            ),
            click.option("--incident", multiple=True, metavar="ID", help="Only of this incident."),
            click.option(
                "--agent", multiple=True, metavar="TYPE", shell_complete=complete_agents, help="Only of this agent."
            ),
            click.option(
                "--older-than",
                metavar="TIME",
                callback=moment,
                help="Only sent before: 24h, or a date or time in your own zone, or with an offset.",
            ),
            click.option("--newer-than", metavar="TIME", callback=moment, help="Only sent since then."),
        )
    ):
        command = option(command)
    return command


def take_selection(options: dict[str, Any]) -> "Selection":
    """Remove the filters from a command's options and return them."""
    from recommendation_cli.dead_letters.selection import Selection

    reasons, incidents, agents = (frozenset(options.pop(name)) for name in ("reason", "incident", "agent"))
    until, since = options.pop("older_than"), options.pop("newer_than")
    if until is not None and since is not None and since > until:
        raise click.UsageError("Nothing is older than --older-than and newer than --newer-than: exchange them.")
    return Selection(reasons, incidents, agents, since, until)
