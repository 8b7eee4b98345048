"""`recs hold` and `recs release`: mark the incident first, then change its recommendations until none is left."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import click

from recommendation_cli.aws.caller import caller_arn
from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.holds.options import Request
from recommendation_cli.holds.records import Aim, Records, held_by, released
from recommendation_cli.holds.sweeping import Sweeping, Swept
from recommendation_cli.marks.errors import LeftError, explained_writes
from recommendation_cli.marks.settling import SETTLED_SECONDS, wait_until_settled
from recommendation_cli.marks.store import MarkStore
from recommendation_cli.marks.text import entry_text, hold_text
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.suggestions import suggest_ids
from recommendation_shared.envelope.field_rules import identifier
from recommendation_shared.envelope.identity import EPOCH, sort_key
from recommendation_shared.item.marks import Entry, Mark, MarkError, State, moved
from recommendation_shared.wording import plural

ROLE: Final = "RecommendationCuratorRole"
_LOOK_SECONDS: Final = 1.0


def hold_incident(runtime: Runtime, target: Target, request: Request) -> None:
    """Hold an incident, or continue a hold that was interrupted."""
    try:
        identifier(request.incident_id)
    except ValueError as error:
        raise click.UsageError(f"No recommendation can have this incident's ID, which {error}.") from None
    command, incident = _Command(runtime, target, request), visible(request.incident_id)
    with command.goes_on():
        mark = command.mark
        if mark is not None and mark.is_held and mark.hold is not None:
            if mark.hold.reason != request.reason:
                raise click.UsageError(
                    f"Incident {incident} is already {hold_text(mark.hold)}. Give the same --reason to complete that"
                    " hold, or end it with recs release first."
                )
        else:
            if not request.yes and not any(True for _ in command.records):
                _ask(
                    f"There is no recommendation of incident {incident} yet{command.similar()}. Hold what arrives"
                    " later?"
                )
            mark = command.move(State.HELD)
        if mark.hold is None:
            raise RuntimeError("a held incident's mark has its hold")
        swept = command.complete(mark, held_by(mark.hold), "held")
        click.echo(f"Incident {incident}: {plural(swept.seen, 'recommendation')} {hold_text(mark.hold)}.")


def release_incident(runtime: Runtime, target: Target, request: Request) -> None:
    """Release an incident, or continue a release that was interrupted."""
    command, incident = _Command(runtime, target, request), visible(request.incident_id)
    with command.goes_on():
        mark = command.mark
        if mark is None:
            raise click.UsageError(f"Incident {incident} is not held: recs holds lists those that are.")
        if mark.state is not State.RELEASED:
            past = command.past_their_ttl() if mark.is_held else 0
            if past and not request.yes:
                _ask(
                    f"DynamoDB will delete {plural(past, 'recommendation')} of incident {incident} within a few days,"
                    " because their retention has passed. Release it?"
                )
            mark = command.move(State.RELEASED)
        swept = command.complete(mark, released, "released")
        click.echo(f"Incident {incident} is released: {plural(swept.seen, 'recommendation')}.")


class _Command:
    """One run on one incident."""

    def __init__(self, runtime: Runtime, target: Target, request: Request) -> None:
        self._runtime = runtime
        self._target = target
        self._request = request
        with explained_writes(target, ROLE):
            client: WritableDynamoDb = runtime.create_client("dynamodb", target)
            self._client = client
            self._marks = MarkStore(client, target)
            self.mark = self._marks.read(request.incident_id)
        self.records = Records(client, target.table, request.incident_id)
        self._written: float | None = None  # when this run wrote the mark, in seconds on the monotonic clock
        self._looked: float | None = None  # when it last looked at the mark, in epoch seconds

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """Explain AWS's errors, and say after an interruption that the same command goes on."""
        try:
            with explained_writes(self._target, ROLE):
                yield
        except KeyboardInterrupt:
            click.echo("\nInterrupted: run the same command again, which goes on.", err=True)
            raise

    def move(self, action: State) -> Mark:
        """Write the mark with one more action; raise a usage error if the incident's state does not allow it."""
        by = caller_arn(self._runtime.create_client, self._target)
        at = sort_key(EPOCH + timedelta(seconds=self._runtime.now()))
        try:
            mark = moved(self.mark, self._request.incident_id, Entry(action, by, at, self._request.reason))
        except MarkError as error:
            history = f" It was {entry_text(self.mark.history[-1])}." if self.mark is not None else ""
            raise click.UsageError(f"Incident {visible(self._request.incident_id)}: {error}.{history}") from None
        self._marks.replace(self.mark, mark)
        self.mark, self._written = mark, self._runtime.monotonic()
        return mark

    def _make_sure(self, mark: Mark) -> None:
        """Raise `MarkChangedError` if the mark is another one now; look at most once a second.

        A process that was stopped for an hour would otherwise release what somebody has held since. The wall clock
        decides, because the monotonic one may stand still while a machine sleeps.
        """
        now = self._runtime.now()
        if self._looked is None or abs(now - self._looked) >= _LOOK_SECONDS:
            self._marks.require(self._request.incident_id, mark)
            self._looked = now

    def similar(self) -> str:
        """Return which incidents have similar IDs, in words, or an empty text: the ID may be mistyped."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            ids = suggest_ids(self._client, self._target.table, "incidentId", self._request.incident_id).ids
        except (BotoCoreError, ClientError):  # the question itself does not depend on it
            return ""
        return f" (but of {' and '.join(map(visible, ids))})" if ids else ""

    def past_their_ttl(self) -> int:
        """Return how many recommendations expire as soon as they are released."""
        ttls = (wanted.ttl for item in self.records if (wanted := released(item)) is not None)
        return sum(ttl is not None and float(ttl["N"]) <= self._runtime.now() for ttl in ttls)

    def complete(self, mark: Mark, aim: Aim, verb: str) -> Swept:
        """Change what there is now and what consumers that did not know the mark have stored meanwhile."""
        sweeping = Sweeping(self._runtime, self.records, aim, verb, lambda: self._make_sure(mark))
        swept = sweeping.once()
        if self._request.wait:
            wait_until_settled(self._runtime, mark.history[-1].at, self._written)
            swept = sweeping.until_nothing_changes()
        else:
            click.echo(
                f"Not waited: what a consumer stores in the next {SETTLED_SECONDS:.0f} seconds may have been missed."
                " Running the same command later completes it.",
                err=True,
            )
        if swept.unclear:
            raise LeftError(
                f"{plural(swept.unclear, 'recommendation')} stayed as before, because no ttl follows from"
                f" {'its' if swept.unclear == 1 else 'their'} timestamp and retention: the consumer did not write that."
                " recs show shows it; set it by hand."
            )
        if self._request.wait and swept.changed:
            raise LeftError(
                f"{plural(swept.changed, 'recommendation')} changed again meanwhile: run the same command again."
            )
        self._marks.require(self._request.incident_id, mark)
        return swept


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Without a terminal, confirm with --yes.")
    click.confirm(question, abort=True, err=True)
