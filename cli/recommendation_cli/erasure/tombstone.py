"""The incident's mark during an erasure, which stays when everything else is gone.

It is written before anything is deleted, so that from then on no consumer stores the incident again. It counts what is
deleted, and lists hashed IDs and digests, but holds neither an ID in clear nor content.
"""

from collections.abc import Sequence

import click

from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.erasure.errors import explained_table
from recommendation_cli.marks.store import MarkStore
from recommendation_cli.screen.visible import visible
from recommendation_shared.item.holds import Erasure
from recommendation_shared.item.marks import Entry, ErasedRecord, Mark, MarkError, State, moved, with_erased


class Tombstone:
    """An incident's mark, as the table has it and as this run changes it. Methods raise click's errors."""

    def __init__(self, client: WritableDynamoDb, target: Target, incident_id: str) -> None:
        """Read the mark."""
        self._store = MarkStore(client, target)
        self._target = target
        self._incident_id = incident_id
        with explained_table(target):
            self.mark: Mark | None = self._store.read(incident_id)

    @property
    def begun_at(self) -> str:
        """Since when consumers that know the mark store nothing of the incident, as a sort key.

        An erasure that ended may begin again, but the incident is never stored in between.
        """
        return next(entry.at for entry in self._begun().history if entry.action is State.ERASING)

    @property
    def erasure(self) -> Erasure:
        """What each item says just before it is deleted."""
        last = self._begun().history[-1]
        return Erasure(last.by, last.at)

    def begin(self, entry: Entry) -> bool:
        """Let consumers store nothing of the incident from now on; return whether they could until now.

        An erasure that an earlier run began is continued.
        """
        was_erased = self.mark is not None and self.mark.is_erased
        if self.mark is None or self.mark.state is not State.ERASING:
            self._move(entry)
        return not was_erased

    def add(self, name: str, count: int, records: Sequence[ErasedRecord] = ()) -> None:
        """Count what is deleted. `records` are listed too; those already listed were counted by an earlier run."""
        mark = self._begun()
        listed = set(mark.erased)
        new = tuple(record for record in records if record not in listed)
        added = count - (len(records) - len(new))
        if added:
            counts = {**mark.counts, name: mark.counts.get(name, 0) + added}
            self._write(with_erased(mark, counts, (*mark.erased, *new)))

    def finish(self, entry: Entry) -> None:
        """Record that nothing was left."""
        self._move(entry)

    def _begun(self) -> Mark:
        if self.mark is None or self.mark.state is not State.ERASING:
            raise RuntimeError("nothing may be deleted before the mark says so")
        return self.mark

    def _move(self, entry: Entry) -> None:
        try:
            mark = moved(self.mark, self._incident_id, entry)
        except MarkError as error:
            raise click.UsageError(f"Incident {visible(self._incident_id)} cannot be erased: {error}.") from None
        self._write(mark)

    def _write(self, mark: Mark) -> None:
        with explained_table(self._target):
            self._store.replace(self.mark, mark)
        self.mark = mark
