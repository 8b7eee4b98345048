"""The incident's dead letters."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from recommendation_cli.dead_letters.letter import DeadLetter
from recommendation_cli.dead_letters.session import Held, QueueSession
from recommendation_cli.erasure.places import Erased, Found
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.screen.progress import Report
from recommendation_cli.screen.visible import visible
from recommendation_shared import limits
from recommendation_shared.exact_json.canonical import canonical_text
from recommendation_shared.wording import plural

_DAY: Final = len("2026-01-31")
_NAMED: Final = 5  # message IDs in a sentence
_UNICODE_ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})")


class DeadLetters:
    """The dead letters whose envelope is of an incident. `hold` is for how many seconds messages are hidden.

    To find them, all messages of the queue are received; the others are returned to it at once.
    """

    name: Final = "dead letters"

    def __init__(self, session: QueueSession, incident_id: str, hold: int | None) -> None:
        self._session = session
        self._incident_id = incident_id
        self._hold = hold
        self._trace = _trace(incident_id)

    def find(self, report: Report) -> Found:
        """Count the dead letters."""
        count, unclear, days = 0, 0, set[str]()
        self._read_depth()
        with self._session.hold(self._hold) as held:
            for letters in self._received(held, report):
                mine = list(filter(self._is_of_incident, letters))
                unclear += sum(map(self._may_be_of_incident, letters))
                count += len(mine)
                days |= {letter.field("timestamp")[:_DAY] for letter in mine}
        where = f"of {held.received:,} in {self._session.name}{self._session.depth.in_flight_note}"
        if unclear:
            where += f"; {unclear:,} more that {'mention' if unclear > 1 else 'mentions'} it, but not as an envelope"
        return Found(count, where, frozenset(filter(None, days)), unclear)

    def sweep(self, tombstone: Tombstone, report: Report) -> Erased:
        """Delete the dead letters; say which could not be looked at or judged."""
        erased = undeleted = 0
        unclear: list[DeadLetter] = []
        self._read_depth()
        with self._session.hold(self._hold) as held:
            for letters in self._received(held, report):
                mine = list(filter(self._is_of_incident, letters))
                unclear += filter(self._may_be_of_incident, letters)
                deleted = len(held.delete(mine))
                tombstone.add(self.name, deleted)
                erased += deleted
                undeleted += len(mine) - deleted
        left = [*_undeleted(undeleted), *self._unclear(unclear), *self._unseen(held)]
        return Erased(erased, left)

    def unreachable(self) -> Sequence[str]:
        """Return nothing: what could not be deleted may be next time."""
        return ()

    def _read_depth(self) -> None:
        with self._session.explained():
            self._session.depth = self._session.read_depth(self._session.target.url)

    def _received(self, held: Held, report: Report) -> Iterator[list[DeadLetter]]:
        for letters in held.receive(lambda: limits.SQS_BATCH_ENTRIES):
            yield letters
            report(f"looked at {plural(held.received, 'dead letter')}", held.received, self._session.depth.visible)

    def _is_of_incident(self, letter: DeadLetter) -> bool:
        return letter.field("incidentId") == self._incident_id

    def _may_be_of_incident(self, letter: DeadLetter) -> bool:
        return not letter.field("incidentId") and self._trace.search(letter.body) is not None

    def _unclear(self, letters: Sequence[DeadLetter]) -> Iterator[str]:
        if letters:
            names = visible(", ".join(letter.message_id for letter in letters[:_NAMED]))
            more = ", …" if len(letters) > _NAMED else ""
            yield (
                f"{plural(len(letters), 'dead letter')} mentioning the incident in a body that is not an envelope"
                f" ({names}{more}): save them (recs dlq save FILE), look at them, and purge what is of the incident"
                " (recs dlq purge FILE)."
            )

    def _unseen(self, held: Held) -> Iterator[str]:
        depth = self._session.depth
        if held.is_full:
            yield f"dead letters beyond the first {held.received:,}: run this again."
        elif depth.in_flight and held.received < depth.visible + depth.in_flight:
            yield (
                f"{plural(depth.in_flight, 'message')} in flight in {self._session.name}, hidden by another reader: run"
                " this again when they are visible (recs dlq status counts them)."
            )


def _trace(incident_id: str) -> re.Pattern[str]:
    """Return what finds an incident's ID in a body that is not an envelope: in quotes or within a recommendation's ID.

    The body may be cut off, wrapped as text in other JSON, or not JSON; any character may be escaped once or twice.
    """
    escaped = json.dumps(incident_id)[1:-1]
    spellings = {incident_id, canonical_text(incident_id)[1:-1], escaped}
    spellings |= {_UNICODE_ESCAPE.sub(lambda code: rf"\u{code[1].upper()}", spelling) for spelling in spellings}
    spellings |= {json.dumps(spelling)[1:-1] for spelling in spellings}
    one_of = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
    return re.compile(rf"""(?:["']|rec-)(?:{one_of})(?:\\*["']|-|$)""")


def _undeleted(count: int) -> Iterator[str]:
    if count:
        yield f"{plural(count, 'dead letter')} whose deletion SQS did not confirm: run this again."
